"""What answers are worth. Pure: no database, no Flask, no clock.

Only settled questions count: where a policy is silent or says two things nobody can be wrong.
A topic counts once, by its latest asking; how it was first answered is kept apart.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from lti_tool.policies.resolve import Resolution, State, Verdict


@dataclass(frozen=True)
class Marked:
    """A question that was asked; ``verdict`` is empty until it is answered."""

    position: int
    topic: str
    state: str
    verdict: str

    @property
    def is_scored(self) -> bool:
        return self.state == State.SETTLED

    @property
    def is_right(self) -> bool:
        return self.is_scored and self.verdict == Verdict.RIGHT


@dataclass(frozen=True)
class Outcome:
    """Where a person stands. ``score`` and ``first_score`` are whole per cents, rounded down, so
    that a score reaches a pass mark only where the share does."""

    topics: int
    """How many topics count."""
    right: int
    """How many of them were right at their latest asking."""
    score: int
    first_score: int
    missed: tuple[str, ...]
    """Topics wrong at their latest asking, in the order they were first asked."""
    is_passed: bool


def verdict_of(resolution: Resolution, choice: str) -> Verdict:
    """What the policy says of a chosen option. Raises ``KeyError`` for an option not put."""
    verdicts = {one.option_id: one.verdict for one in resolution.judgements}
    return verdicts[choice]


def mark(questions: Iterable[Marked], *, important: Collection[str], pass_percent: int) -> Outcome:
    """Add up what was asked. Passed: ``pass_percent`` of the topics are right, and so is every
    topic in ``important`` that was asked. Where nothing counts, nothing is missing: 100.
    """
    scored = sorted((one for one in questions if one.is_scored), key=lambda one: one.position)
    latest = {one.topic: one.is_right for one in scored}
    first = {one.topic: one.is_right for one in reversed(scored)}
    missed = tuple(topic for topic, is_right in latest.items() if not is_right)
    score = _per_cent(latest.values())
    return Outcome(
        topics=len(latest),
        right=len(latest) - len(missed),
        score=score,
        first_score=_per_cent(first.values()),
        missed=missed,
        is_passed=score >= pass_percent and not any(topic in important for topic in missed),
    )


def _per_cent(rights: Collection[bool]) -> int:
    return 100 * sum(rights) // len(rights) if rights else 100
