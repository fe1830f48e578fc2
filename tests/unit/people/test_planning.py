"""What a staff file would do, from rows and people alone."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from lti_tool.people.imports.planning import Member, Plan, make_plan
from lti_tool.people.imports.reading import StaffRow


def somebody(name: str = "Amara Osei", **given: Any) -> Member:
    values: dict[str, Any] = {
        "person_id": uuid4(), "membership_id": uuid4(), "name": name, "email": "",
        "role_group": "", "site": "", "starts_on": None, "payroll_number": "", "ends_on": None,
        "is_confirmed": True, "has_left": False, "signs_in": False,
    }  # fmt: skip
    return Member(**values | given)


def row(line: int = 2, name: str = "Amara Osei", **given: Any) -> StaffRow:
    return StaffRow(line, name, **given)


def lines(plan: Plan) -> dict[str, list[int]]:
    return {
        "added": [one.line for one in plan.added],
        "changed": [one.row.line for one in plan.changed],
        "unchanged": [one.row.line for one in plan.unchanged],
        "offers": [one.row.line for one in plan.offers],
        "faults": [one.line for one in plan.faults],
    }


def test_a_payroll_number_says_who_somebody_is_whatever_their_address() -> None:
    known = somebody(payroll_number="0012", role_group="support")
    plan = make_plan(
        [row(payroll_number="12", role_group="teaching", email="a@b.example")], [known]
    )
    (change,) = plan.changed
    assert change.fields == {
        "email": ("", "a@b.example"),
        "role_group": ("support", "teaching"),
    }
    assert plan.absent == ()


def test_whoever_signs_in_keeps_the_name_their_platform_gives() -> None:
    known = somebody("A. Osei", payroll_number="1", signs_in=True)
    plan = make_plan([row(payroll_number="1")], [known])
    assert lines(plan)["unchanged"] == [2]


def test_an_equal_address_is_an_offer_and_does_nothing_by_itself() -> None:
    known = somebody(email="A@b.example", signs_in=True)
    rows = [row(email="a@B.example", payroll_number="7")]
    plan = make_plan(rows, [known])
    assert lines(plan) == {"added": [], "changed": [], "unchanged": [], "offers": [2], "faults": []}
    assert plan.absent == (known,)
    plan = make_plan(rows, [known], ticked={2})
    assert lines(plan)["changed"] == [2]
    assert plan.changed[0].fields == {"payroll_number": ("", "7")}
    assert plan.absent == ()


def test_two_payroll_numbers_are_two_people_whatever_the_address() -> None:
    known = somebody(email="office@b.example", payroll_number="1")
    plan = make_plan([row(email="office@b.example", payroll_number="2")], [known])
    assert lines(plan)["added"] == [2]


def test_two_ticks_for_one_person_are_refused() -> None:
    known = somebody(email="a@b.example")
    rows = [row(2, email="a@b.example", payroll_number="1"),
            row(3, "Beth Pugh", email="a@b.example", payroll_number="2")]  # fmt: skip
    plan = make_plan(rows, [known], ticked={2, 3})
    assert lines(plan) | {"faults": []} == {
        "added": [], "changed": [2], "unchanged": [], "offers": [], "faults": [],
    }  # fmt: skip
    assert [(one.line, one.code) for one in plan.faults] == [(3, "ticked-twice")]


def test_without_a_number_the_file_knows_its_own_people_again() -> None:
    before = row(email="a@b.example")
    known = somebody(email="a@b.example", keys=(before.key,))
    assert lines(make_plan([before], [known]))["unchanged"] == [2]


def test_who_is_not_counted_or_has_left_the_lists_is_counted_by_the_file() -> None:
    states: tuple[dict[str, Any], ...] = ({"is_confirmed": False}, {"has_left": True})
    for state in states:
        plan = make_plan([row(payroll_number="1")], [somebody(payroll_number="1", **state)])
        assert plan.changed[0].fields == {"counted": (False, True)}


def test_a_number_that_two_people_hold_is_reported() -> None:
    plan = make_plan(
        [row(payroll_number="01")], [somebody(payroll_number="1"), somebody(payroll_number="1")]
    )
    assert [(one.line, one.code) for one in plan.faults] == [(2, "number-held-twice")]


def test_the_digest_tells_any_difference() -> None:
    known = somebody(payroll_number="1")
    same = make_plan([row(payroll_number="1")], [known]).digest
    assert make_plan([row(payroll_number="1")], [known]).digest == same
    other = somebody(**{**vars(known), "ends_on": date(2027, 8, 31)})
    assert make_plan([row(payroll_number="1")], [other]).digest != same


MEMBERS = st.builds(
    somebody,
    st.sampled_from(["Amara Osei", "Beth Pugh"]),
    email=st.sampled_from(["", "a@b.example", "c@d.example"]),
    payroll_number=st.sampled_from(["", "1", "2", "03"]),
    is_confirmed=st.booleans(),
)


@given(
    st.lists(MEMBERS, max_size=4),
    st.lists(
        st.tuples(st.sampled_from(["", "1", "2", "3"]), st.sampled_from(["", "a@b.example"])),
        max_size=5,
    ),
    st.sets(st.integers(2, 6)),
)
def test_each_row_goes_one_way_and_each_person_is_touched_once(
    members: list[Member], given_rows: list[tuple[str, str]], ticked: set[int]
) -> None:
    rows = [row(place, f"P {place}", payroll_number=number, email=email)
            for place, (number, email) in enumerate(given_rows, 2)]  # fmt: skip
    plan = make_plan(rows, members, ticked=ticked)
    ways = sorted(line for way in lines(plan).values() for line in way)
    assert sorted(set(ways)) == [one.line for one in rows]
    assert len(ways) == len(set(ways))
    touched: list[UUID] = [one.member.person_id for one in (*plan.changed, *plan.unchanged)]
    numbers = [one.row.payroll_number for one in plan.changed if one.row.payroll_number]
    if len(numbers) == len(set(numbers)):
        by_tick = [one for one in plan.changed if one.is_ticked]
        assert all(one.row.line in ticked for one in by_tick)
    absent = {one.person_id for one in plan.absent}
    assert absent | set(touched) == {one.person_id for one in members}
    assert not absent & set(touched)
