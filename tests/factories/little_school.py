"""A small school whose policy forbids one thing on each of twelve topics."""

import hashlib
from dataclasses import replace

from lti_tool.curriculum.catalogue import (
    Catalogue,
    Reads,
    Scenario,
    ScenarioOption,
    Topic,
    TrainingModule,
)
from lti_tool.policies.case import Act, Case, Option
from lti_tool.policies.conditions import ActPattern, FactIs
from lti_tool.policies.policy import (
    Clause,
    ClauseKind,
    Force,
    Mode,
    PolicyVersion,
    Role,
    Rule,
    School,
    Section,
    Tension,
)

TOPICS = 12
EVERYBODY = frozenset({"teaching", "support"})


def _scenario(name: str, topic: str, number: int) -> Scenario:
    texts = {"a": "Do it", "b": "Leave it", "c": "Do it later"}
    acts = {
        "a": (Act(f"do-{topic}"),),
        "b": (Act("leave", careful=True),),
        "c": (Act(f"do-{topic}", {"later": True}),),
    }
    return Scenario(
        id=name,
        version=1,
        family=f"family-{name}",
        text={"en": f"Story {name} for the {{headteacher}}."},
        options=tuple(
            ScenarioOption(key, {"en": text}, {"en": f"Why {key}."}) for key, text in texts.items()
        ),
        case=Case(
            topic,
            {"age": number, "is-own-child": False},
            tuple(Option(key, one) for key, one in acts.items()),
        ),
        body=f'{{"id":"{name}"}}'.encode(),
        sha256=hashlib.sha256(f'{{"id":"{name}"}}'.encode()).hexdigest(),
    )


def _policy() -> PolicyVersion:
    topics = [f"topic-{place:02}" for place in range(TOPICS)]
    clauses = {
        f"c{place}": Clause(
            f"c{place}",
            "private" if place % 2 else "work",
            f"Line {place}",
            {"en": f"Nobody does {topic}."},
            ClauseKind.CONDUCT,
            EVERYBODY,
        )
        for place, topic in enumerate(topics)
    }
    clauses["c99"] = Clause(
        "c99", "work", "Line 99", {"en": "You may be dismissed."}, ClauseKind.CONSEQUENCE, EVERYBODY
    )
    clauses["c98"] = Clause(
        "c98",
        "school",
        "Line 98",
        {"en": "The school checks its page."},
        ClauseKind.CONDUCT,
        frozenset({"school"}),
    )
    return PolicyVersion(
        school_id="little-school",
        number="2026-03",
        title={"en": "Social media policy"},
        language="en",
        approved_by="Governors",
        approved_on="2026-03",
        review_cycles=(),
        next_review_on=None,
        source_name="policy.pdf",
        source_sha256="a" * 64,
        sections=tuple(
            Section(name, {"en": name.title()}) for name in ("private", "work", "school")
        ),
        clauses=clauses,
        rules=tuple(
            Rule(
                id=f"no-{topic}",
                topics=(topic,),
                clauses=(f"c{place}",),
                mode=Mode.FORBIDS,
                patterns=(ActPattern(f"do-{topic}"),),
                force=Force.MUST if place % 3 else Force.ADVISED,
                wording="will not" if place % 3 else "is advised not to",
                stated=True,
                binds=EVERYBODY,
                # Below seven the policy does not speak.
                when=FactIs("age", frozenset(range(7, 30))),
            )
            for place, topic in enumerate(topics)
        ),
        tensions=(
            Tension(
                "topic-11", ("c11", "c10"), FactIs("age", frozenset({5})), {"en": "Leave it alone."}
            ),
        ),
        cites=(),
        body=b'{"policy":"2026-03"}',
        sha256=hashlib.sha256(b'{"policy":"2026-03"}').hexdigest(),
    )


def little_school() -> Catalogue:
    """Twelve topics, the first three important; each with two settled scenarios; on the
    last two one more, on which the policy is silent, and one on which it says two things."""
    topics = {
        f"topic-{place:02}": Topic(
            f"topic-{place:02}",
            {"en": f"Topic {place}"},
            {"en": "It matters."},
            important=place < 3,
            child_safety=place < 6,
        )
        for place in range(TOPICS)
    }
    scenarios = [
        _scenario(f"{topic}-{letter}", topic, age)
        for topic in topics
        for letter, age in (("x", 10), ("y", 17))
    ]
    scenarios.append(_scenario("topic-10-silent", "topic-10", 6))
    scenarios.append(_scenario("topic-11-conflict", "topic-11", 5))
    school = School(
        id="little-school",
        name="Little School",
        nation="england",
        languages=("en",),
        sites=(),
        roles={
            "headteacher": Role("headteacher", {"en": "Headteacher"}, "01632 960001"),
            "chair-of-governors": Role(
                "chair-of-governors", {"en": "Chair of governors"}, "01632 960002"
            ),
        },
        also={"headteacher": frozenset({"designated-person"})},
        report_to=("headteacher",),
        ask="headteacher",
        terms={},
        is_example=True,
        declaration_note={"en": "The {headteacher} tells us it is in use."},
        versions=(_policy(),),
        document="",
    )
    module = TrainingModule(
        id="induction",
        title={"en": "New starter training"},
        about={"en": "Your school’s rules."},
        minutes=15,
        scenarios=10,
        unscored_at_most=2,
        pass_percent=80,
    )
    short = replace(
        module,
        id="before-you-start",
        title={"en": "Before you start"},
        minutes=3,
        scenarios=0,
        reads=Reads.MUSTS,
    )
    refresh = replace(
        module,
        id="annual-refresh",
        title={"en": "Annual refresh"},
        minutes=10,
        scenarios=6,
        scenarios_at_most=8,
        unscored_at_most=1,
        reads=Reads.CHANGES,
    )
    update = replace(
        refresh,
        id="policy-update",
        title={"en": "Policy update"},
        scenarios_at_most=12,
        asks_changes_alone=True,
        tells=False,
    )
    return Catalogue(
        topics=topics,
        modules={one.id: one for one in (module, short, refresh, update)},
        schools={school.id: school},
        scenarios={one.id: one for one in scenarios},
    )


def next_version(version: PolicyVersion, number: str = "2027-03") -> PolicyVersion:
    """Another edition: it forbids in other words what it only advised against, rules one topic no
    more, and words the school's own duty otherwise."""
    clauses = dict(version.clauses)
    clauses["c3"] = replace(clauses["c3"], text={"en": "Nobody ever does topic-03 at all."})
    clauses["c98"] = replace(clauses["c98"], text={"en": "The school checks its page weekly."})
    del clauses["c4"]
    return replace(
        version,
        number=number,
        approved_on=number,
        clauses=clauses,
        rules=tuple(
            replace(rule, force=Force.MUST, wording="must not") if rule.clauses == ("c3",) else rule
            for rule in version.rules
            if rule.clauses != ("c4",)
        ),
        body=f'{{"policy":"{number}"}}'.encode(),
        sha256=hashlib.sha256(f'{{"policy":"{number}"}}'.encode()).hexdigest(),
    )


def with_next_version(catalogue: Catalogue) -> Catalogue:
    """The little school a year on, with a second version of its policy."""
    school = catalogue.schools["little-school"]
    versions = (*school.versions, next_version(school.policy))
    return replace(
        catalogue, schools={**catalogue.schools, school.id: replace(school, versions=versions)}
    )


def with_other_school(catalogue: Catalogue, *, same: bool = False) -> Catalogue:
    """The little school and another of its trust, whose policy differs as ``next_version`` does."""
    school = replace(catalogue.schools["little-school"], trust="little-trust")
    version = school.policy if same else next_version(school.policy, "2025-09")
    other = replace(
        school,
        id="other-school",
        name="Other School",
        versions=(replace(version, school_id="other-school"),),
    )
    return replace(catalogue, schools={school.id: school, other.id: other})
