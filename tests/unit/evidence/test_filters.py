"""What the register may be asked for, and what is refused before a query runs."""

import pytest

from lti_tool.core.errors import ToolError
from lti_tool.evidence.schemas import Filters, read_query


def read(**args: str) -> tuple[Filters, int, int | None]:
    return read_query(
        args,
        modules=("induction", "annual-refresh"),
        sites=("North",),
        module="induction",
        cycle="2026-27",
    )


def test_an_address_without_filters_means_this_year_and_the_visits_training() -> None:
    assert read() == (Filters(module="induction", cycle="2026-27"), 1, None)


def test_empty_fields_of_the_form_are_no_filters() -> None:
    assert read(q="", state="", page="") == read()


def test_every_filter_can_be_given() -> None:
    filters, page, confirmed = read(
        q="Osei",
        state="done",
        role_group="teaching",
        site="North",
        module="annual-refresh",
        cycle="2025-26",
        people="waiting",
        page="3",
        confirmed="2",
    )
    assert (page, confirmed) == (3, 2)
    assert filters == Filters(
        "annual-refresh", "2025-26", "Osei", "done", "teaching", "North", "waiting"
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("state", "not-started"),
        ("role_group", "head"),
        ("site", "South"),
        ("module", "other"),
        ("cycle", "2026"),
        ("cycle", "2026-27\n"),
        ("people", "everybody"),
        ("page", "0"),
        ("page", "x"),
        ("page", "99999999999999999999"),
        ("confirmed", "-1"),
        ("q", "x" * 101),
        ("school", "glenmere"),
        ("school_id", "glenmere"),
    ],
)
def test_anything_else_is_refused_by_its_name(field: str, value: str) -> None:
    with pytest.raises(ToolError) as refusal:
        read(**{field: value})
    assert (refusal.value.code, refusal.value.details) == ("filter-unknown", {"fields": field})
