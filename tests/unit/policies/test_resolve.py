"""Each way in which a policy speaks, one case at a time."""

from dataclasses import replace

from lti_tool.policies.case import Act, Agreement, Case, FactValue, Option
from lti_tool.policies.conditions import ActPattern, AllOf, FactCompares, FactIs, Order
from lti_tool.policies.policy import Approval, Force, Mode, Rule, Tension
from lti_tool.policies.resolve import Resolution, Silence, State, resolve
from tests.unit.policies.worlds import SCHOOL, STAFF, version

ACCEPT = Act("accept")
DECLINE = Act("decline", careful=True)
TELL_HEAD = Act("report", {"to": "headteacher"}, careful=True)
ASK_HEAD = Act(
    "obtain-permission", {"from": "headteacher", "written": True, "before": True}, careful=True
)


def rule(mode: Mode, act: str, *, clause: str = "c1", **more: object) -> Rule:
    given: dict[str, object] = {
        "id": f"{mode}-{act}-{clause}",
        "topics": ("requests",),
        "clauses": (clause,),
        "mode": mode,
        "patterns": (ActPattern(act),),
        "force": Force.MUST,
        "wording": "must",
        "stated": True,
        "binds": STAFF,
    }
    return Rule(**(given | more))  # type: ignore[arg-type]


def answer(
    *rules: Rule,
    options: dict[str, tuple[Act, ...]] | None = None,
    tensions: tuple[Tension, ...] = (),
    agreements: tuple[Agreement, ...] = (),
    **facts: FactValue,
) -> Resolution:
    offered = options or {"a": (ACCEPT,), "b": (DECLINE,)}
    case = Case(
        "requests", facts, tuple(Option(key, acts) for key, acts in offered.items()), agreements
    )
    return resolve(version(*rules, tensions=tensions), SCHOOL, "teaching", case)


def verdicts(found: Resolution) -> list[str]:
    return [one.verdict.value for one in found.judgements]


def test_a_ban_makes_holding_back_right() -> None:
    found = answer(rule(Mode.FORBIDS, "accept"))
    assert verdicts(found) == ["breaks", "right"]
    assert [reason.clauses for one in found.judgements for reason in one.reasons] == [
        ("c1",),
        ("c1",),
    ]


def test_advice_is_not_a_ban() -> None:
    assert verdicts(answer(rule(Mode.FORBIDS, "accept", force=Force.ADVISED))) == [
        "against-advice",
        "right",
    ]


def test_a_duty_is_met_by_a_role_that_its_holder_also_is() -> None:
    duty = rule(
        Mode.REQUIRES,
        "report",
        patterns=(ActPattern("report", {"to": frozenset({"designated-person"})}),),
    )
    found = answer(duty, options={"a": (DECLINE,), "b": (DECLINE, TELL_HEAD)})
    assert verdicts(found) == ["not-enough", "right"]


def test_an_act_on_which_no_rule_speaks_is_not_said_even_where_the_rest_is_settled() -> None:
    found = answer(
        rule(Mode.FORBIDS, "accept"),
        options={"a": (ACCEPT,), "b": (DECLINE, Act("message")), "c": (DECLINE, TELL_HEAD)},
    )
    assert verdicts(found) == ["breaks", "not-said", "right"]


def test_silence_is_a_gap_or_open() -> None:
    ban = rule(Mode.FORBIDS, "accept", when=FactCompares("age", Order.LT, 18))
    assert answer(ban, age=23).silence is Silence.OPEN
    other = rule(Mode.FORBIDS, "accept", topics=("photos",), when=ban.when)
    assert answer(other, age=23).silence is Silence.GAP


def test_written_permission_is_not_met_by_a_spoken_yes() -> None:
    ban = rule(
        Mode.FORBIDS, "accept", approval=Approval(any_of=frozenset({"headteacher"}), written=True)
    )
    options = {"a": (ACCEPT,), "b": (ASK_HEAD, ACCEPT), "c": (DECLINE,)}
    spoken = (Agreement("headteacher"),)
    assert verdicts(answer(ban, options=options, agreements=spoken)) == ["breaks", "right", "right"]


def test_all_of_needs_each() -> None:
    both = Approval(all_of=frozenset({"headteacher", "parent"}))
    ban = rule(Mode.FORBIDS, "accept", approval=both)
    assert verdicts(answer(ban, agreements=(Agreement("headteacher"),))) == ["breaks", "right"]
    agreed = (Agreement("headteacher"), Agreement("parent"))
    found = answer(ban, agreements=agreed)
    assert (found.state, verdicts(found)) == (State.SETTLED, ["right", "right"])


def test_an_exception_lifts_or_permits() -> None:
    adult = AllOf((FactIs("person", frozenset({"former"})), FactCompares("age", Order.GT, 18)))
    lifts = rule(Mode.FORBIDS, "accept", unless=adult)
    assert answer(lifts, person="former", age=23).state is State.SILENT
    permits = rule(Mode.FORBIDS, "accept", unless=adult, exception_permits=True)
    assert verdicts(answer(permits, person="former", age=23)) == ["right", "right"]


def test_a_ban_against_a_permission_is_a_conflict_with_a_safer_course() -> None:
    found = answer(
        rule(Mode.FORBIDS, "accept"),
        rule(Mode.PERMITS, "accept", clause="c2"),
        rule(Mode.REQUIRES, "decline", clause="c3"),
        options={"a": (ACCEPT,), "b": (Act("leave", careful=True),), "c": (DECLINE,)},
    )
    assert found.state is State.CONFLICT
    assert found.at_odds == ("c1", "c2")
    assert found.safer_options == ("c",)


def test_a_ban_on_what_is_required_is_a_conflict_though_no_option_does_it() -> None:
    found = answer(
        rule(Mode.REQUIRES, "report"),
        rule(Mode.FORBIDS, "report", clause="c2"),
    )
    assert (found.state, found.at_odds) == (State.CONFLICT, ("c1", "c2"))


def test_a_duty_that_can_be_met_otherwise_is_no_conflict() -> None:
    narrow = ActPattern("report", {"to": frozenset({"parent"})})
    found = answer(
        rule(Mode.REQUIRES, "report"),
        rule(Mode.FORBIDS, "report", clause="c2", patterns=(narrow,)),
        options={"a": (DECLINE,), "b": (DECLINE, TELL_HEAD)},
    )
    assert verdicts(found) == ["not-enough", "right"]


def test_advice_against_what_is_permitted_is_no_conflict() -> None:
    found = answer(
        rule(Mode.FORBIDS, "accept", force=Force.ADVISED),
        rule(Mode.PERMITS, "accept", clause="c2"),
    )
    assert verdicts(found) == ["against-advice", "right"]


def test_an_authors_tension_makes_a_conflict_for_its_facts_alone() -> None:
    tension = Tension(
        "requests", ("c1", "c2"), FactIs("age", frozenset({18})), {"en": "Reject it."}
    )
    ban = rule(Mode.FORBIDS, "accept")
    found = answer(ban, tensions=(tension,), age=18)
    assert (found.state, found.safer) == (State.CONFLICT, {"en": "Reject it."})
    assert answer(ban, tensions=(tension,), age=17).state is State.SETTLED


def test_a_tension_is_one_only_for_whom_two_of_its_clauses_bind() -> None:
    """A volunteer whom just one of the clauses binds is told one thing, not two."""
    tension = Tension("requests", ("c1", "c2"), None, {"en": "Reject it."})
    both = version(rule(Mode.FORBIDS, "accept"), tensions=(tension,))
    other = replace(both.clauses["c2"], binds=frozenset({"support"}))
    one = replace(both, clauses={**both.clauses, "c2": other})
    case = Case("requests", {}, (Option("a", (ACCEPT,)), Option("b", (DECLINE,))))
    assert resolve(both, SCHOOL, "teaching", case).state is State.CONFLICT
    assert resolve(one, SCHOOL, "teaching", case).state is State.SETTLED


def test_a_duty_for_those_who_do_something_allows_it_once_met() -> None:
    duty = rule(Mode.REQUIRES, "disclaim", if_doing=ActPattern("opine"))
    opine, disclaim = Act("opine"), Act("disclaim", careful=True)
    found = answer(duty, options={"a": (opine,), "b": (opine, disclaim), "c": (DECLINE,)})
    assert verdicts(found) == ["not-enough", "right", "right"]


def test_a_moderators_rule_binds_whoever_moderates() -> None:
    ban = rule(Mode.FORBIDS, "accept", binds=frozenset({"moderator"}))
    assert answer(ban, moderator=True).state is State.SETTLED
    assert answer(ban, moderator=False).state is State.SILENT


def test_the_stronger_clause_governs_and_the_difference_is_noted() -> None:
    found = answer(
        rule(Mode.FORBIDS, "accept", force=Force.ADVISED), rule(Mode.FORBIDS, "accept", clause="c2")
    )
    assert verdicts(found) == ["breaks", "right"]
    assert [reason.clauses for reason in found.judgements[0].reasons] == [("c2",)]
    assert found.force_differs == (("c1", "c2"),)


def test_a_number_is_no_truth() -> None:
    assert answer(rule(Mode.FORBIDS, "accept", when=FactIs("age", frozenset({0})))).state is (
        State.SILENT
    )
