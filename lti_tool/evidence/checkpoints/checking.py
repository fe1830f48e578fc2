"""Whether a ledger still is what its checkpoints signed for."""

from collections.abc import Sequence
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from lti_tool.core import ledger
from lti_tool.core.ledger import Break, Link
from lti_tool.evidence.checkpoints.keys import EvidenceKeys
from lti_tool.evidence.checkpoints.models import Checkpoint
from lti_tool.evidence.proof.codes import code_of
from lti_tool.evidence.proof.merkle import Growing, leaf_hash
from lti_tool.evidence.proof.statements import Signed


def verify(
    session: Session, keys: EvidenceKeys, *, school_id: str
) -> tuple[int, int, Break | None]:
    """Walk a school's chain and its tree in one go; how many entries and checkpoints hold, and
    the first break, if any."""
    made = list(
        session.scalars(
            select(Checkpoint).where(Checkpoint.school_id == school_id).order_by(Checkpoint.size)
        )
    )
    ours = {one.fingerprint for one in keys.listed()}
    tree, roots, wanted = Growing(), dict[int, str](), {one.size for one in made}

    def seen(link: Link) -> None:
        tree.add(leaf_hash(bytes.fromhex(link.hash)))
        if link.sequence in wanted:
            roots[link.sequence] = tree.root().hex()

    count, fault = ledger.verify(session, school_id=school_id, seen=seen)
    if fault is not None:
        return count, 0, fault
    for number, checkpoint in enumerate(made):
        reason = _fault(checkpoint, made[:number], ours, roots.get(checkpoint.size))
        if reason:
            return count, number, Break(checkpoint.size, "", reason)
    return count, len(made), None


def _fault(
    checkpoint: Checkpoint, earlier: Sequence[Checkpoint], ours: set[str], root: str | None
) -> str:
    signed = Signed(checkpoint.text, checkpoint.signature, checkpoint.public_key)
    said = signed.said()
    columns = (checkpoint.school_id, checkpoint.size, checkpoint.root, checkpoint.key)
    if not signed.holds() or checkpoint.key not in ours:
        return "the checkpoint made after it is not signed with a key of ours"
    if (said["school"], said["size"], said["root"], said["key"]) != columns:
        return "the columns of the checkpoint made after it differ from what was signed"
    if checkpoint.code != code_of(checkpoint.text, checkpoint.signature):
        return "the checkpoint made after it has another code"
    if said["root"] != root:
        return "the entries up to it are not those the checkpoint after it was signed for"
    if said["previous"] != (sha256(earlier[-1].text).hexdigest() if earlier else ""):
        return "the checkpoint made after it does not follow the one before"
    return ""
