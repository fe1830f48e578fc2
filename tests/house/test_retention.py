"""Every table of what people did is of a kind that a school sets a period for, or stays for a
reason that is said here."""

from collections.abc import Mapping
from typing import Final

from lti_tool.app import create_app  # noqa: F401  (brings every table)
from lti_tool.core.database import Table
from lti_tool.evidence.retention import due, kinds
from lti_tool.evidence.retention.disposing import OF_PEOPLE

NOBODYS: Final = "of the school; holds no more than the number of whoever set it"
STAYS: Final[Mapping[str, str]] = {
    "calendar": NOBODYS,
    "checkpoint": "no personal data",
    "cycle": NOBODYS,
    "deployment_school": "no personal data",
    "disposal": "no personal data",
    "erasure": "no personal data",
    "holiday": NOBODYS,
    "invitation_school": "no personal data",
    "ledger_entry": "personal values stand in disclosure",
    "ledger_head": "no personal data",
    "ledger_tile": "no personal data",
    "manager_code": NOBODYS,
    "manager_grant": "who managed when: a number, once the person is erased",
    "pack": "the file goes after thirty days; who asked is a number",
    "policy_opening": NOBODYS,
    "reminder_batch": NOBODYS,
    "reminder_settings": NOBODYS,
    "resource_link": "no personal data",
    "retention_period": NOBODYS,
    "review_decision": NOBODYS,
    "review_figures": "counts of ten people or more",
    "roster": NOBODYS,
    "teams_channel": NOBODYS,
    "teams_post": "counts and links, nobody's name",
    "teams_tenant_school": "no personal data",
}


def test_every_table_is_of_a_kind_or_stays_for_a_reason() -> None:
    tables = {name for name, one in Table.metadata.tables.items() if "school_id" in one.columns}
    of_kinds = [table for kind in kinds.KINDS.values() for table in kind.tables]
    assert len(of_kinds) == len(set(of_kinds))
    assert tables - set(of_kinds) == set(STAYS)


def test_every_kind_has_its_due_and_fits_its_column() -> None:
    assert set(due._DUE) == set(kinds.KINDS)
    assert set(OF_PEOPLE) <= set(kinds.KINDS)
    assert all(len(kind) <= 20 for kind in kinds.KINDS)
    assert all(one.fewest <= one.suggested <= kinds.MOST_MONTHS for one in kinds.KINDS.values())
