"""Small worlds of rules and cases, drawn by Hypothesis."""

from hypothesis import strategies as st

from lti_tool.policies.case import Act, Agreement, Case, FactValue, Option
from lti_tool.policies.conditions import (
    ActPattern,
    AllOf,
    AnyOf,
    Condition,
    Doing,
    FactCompares,
    FactIs,
    Not,
    Order,
)
from lti_tool.policies.policy import (
    Approval,
    Clause,
    ClauseKind,
    Force,
    Mode,
    PolicyVersion,
    Rule,
    School,
    Section,
    Tension,
)

ACTS = ("accept", "decline", "report", "obtain-permission")
CAREFUL = frozenset({"decline", "report", "obtain-permission"})
ROLES = ("headteacher", "designated-person", "parent")
TOPICS = ("requests", "photos")
CLAUSES = tuple(f"c{number}" for number in range(1, 9))
STAFF = frozenset({"teaching"})

values: st.SearchStrategy[FactValue] = st.one_of(
    st.sampled_from(("pupil", "parent", *ROLES)), st.integers(0, 30), st.booleans()
)
facts = st.dictionaries(st.sampled_from(("person", "age", "relative", "moderator")), values)
parameters = st.dictionaries(st.sampled_from(("to", "from", "written", "before")), values)
acts = st.builds(
    lambda name, given: Act(name, given, name in CAREFUL), st.sampled_from(ACTS), parameters
)
patterns = st.builds(
    ActPattern,
    st.sampled_from(ACTS),
    st.dictionaries(st.sampled_from(("to", "written")), st.frozensets(values, max_size=3)),
)
conditions: st.SearchStrategy[Condition] = st.recursive(
    st.one_of(
        st.builds(FactIs, st.sampled_from(("person", "relative")), st.frozensets(values)),
        st.builds(FactCompares, st.just("age"), st.sampled_from(Order), st.integers(0, 30)),
        st.builds(Doing, patterns),
    ),
    lambda inner: st.one_of(
        st.builds(AllOf, st.lists(inner, max_size=2).map(tuple)),
        st.builds(AnyOf, st.lists(inner, max_size=2).map(tuple)),
        st.builds(Not, inner),
    ),
    max_leaves=4,
)
roles = st.frozensets(st.sampled_from(ROLES), max_size=2)
approvals = st.builds(Approval, roles, roles, st.booleans(), st.booleans())
rules = st.builds(
    Rule,
    id=st.uuids().map(str),
    topics=st.sampled_from([TOPICS[:1], TOPICS[1:], TOPICS]),
    clauses=st.lists(st.sampled_from(CLAUSES), min_size=1, max_size=2, unique=True).map(tuple),
    mode=st.sampled_from(Mode),
    patterns=st.lists(patterns, min_size=1, max_size=2).map(tuple),
    force=st.sampled_from(Force),
    wording=st.just("must"),
    stated=st.booleans(),
    binds=st.frozensets(st.sampled_from(("teaching", "volunteer", "moderator"))),
    when=st.none() | conditions,
    unless=st.none() | conditions,
    if_doing=st.none() | patterns,
    approval=st.none() | approvals,
    exception_permits=st.booleans(),
)
options = st.lists(st.lists(acts, max_size=3).map(tuple), min_size=1, max_size=4).map(
    lambda lists: tuple(Option(letter, one) for letter, one in zip("abcd", lists, strict=False))
)
cases = st.builds(
    Case,
    topic=st.sampled_from(TOPICS),
    facts=facts,
    options=options,
    agreements=st.lists(
        st.builds(Agreement, st.sampled_from(ROLES), st.booleans(), st.booleans()), max_size=2
    ).map(tuple),
)
tensions = st.builds(
    Tension,
    st.sampled_from(TOPICS),
    st.just(("c1", "c2")),
    st.none() | conditions,
    st.just({"en": "Ask first."}),
)


def version(*found: Rule, tensions: tuple[Tension, ...] = ()) -> PolicyVersion:
    """A version with these rules and a clause for each that they may name."""
    return PolicyVersion(
        school_id="hill",
        number="2025-01",
        title={"en": "Policy"},
        language="en",
        approved_by="Governors",
        approved_on="2025-01",
        review_cycles=(),
        next_review_on=None,
        source_name="policy",
        source_sha256="0" * 64,
        sections=(Section("all", {"en": "All"}),),
        clauses={
            name: Clause(name, "all", name, {"en": name}, ClauseKind.CONDUCT, STAFF)
            for name in CLAUSES
        },
        rules=found,
        tensions=tensions,
        cites=(),
        body=b"",
        sha256="0" * 64,
    )


versions = st.builds(
    lambda found, at_odds: version(*found, tensions=tuple(at_odds)),
    st.lists(rules, max_size=5),
    st.lists(tensions, max_size=1),
)
SCHOOL = School(
    id="hill",
    name="Hill School",
    nation="england",
    languages=("en",),
    sites=(),
    roles={},
    also={"headteacher": frozenset({"designated-person"})},
    report_to=(),
    ask="headteacher",
    terms={},
    is_example=True,
    declaration_note={},
    versions=(),
    document="",
)
