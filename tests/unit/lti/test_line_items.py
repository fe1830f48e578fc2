"""Which of a platform's line items takes a cycle's scores, and what its results mean (AGS-3)."""

from typing import Any
from uuid import uuid4

import pytest

from lti_tool.lti.services import line_items
from lti_tool.lti.services.line_items import Place, identity, pick

ITEMS = "https://m.example/2/lineitems"


def _item(number: int, link: str = "5", resource: str = "", tag: str = "") -> dict[str, Any]:
    found = {"id": f"{ITEMS}/{number}/lineitem?type_id=1", "resourceId": resource, "tag": tag}
    return found | ({"resourceLinkId": link} if link else {})


EXACT = {"resource": "induction", "tag": "policy-2026-27"}


@pytest.mark.parametrize(
    ("items", "number"),
    [
        ([_item(1, tag="quiz"), _item(2, **EXACT)], 2),
        ([_item(1, link="", **EXACT), _item(2)], 2),
        ([_item(1, link="", **EXACT)], 1),
        ([_item(1, tag="policy-2025-26")], 0),
        ([_item(1, resource="annual-refresh", tag="policy-2026-27")], 0),
        ([_item(1, link="6", **EXACT)], 0),
        ([_item(1, link="")], 0),
        ([_item(9)], 0),
        ([{"id": "http://elsewhere.example/1", "resourceLinkId": "5"}], 0),
        ([{"resourceLinkId": "5"}], 0),
        ([], 0),
    ],
    ids=[
        "ours before a teacher's",
        "of this activity before one of none",
        "one of no activity",
        "another cycle's",
        "another training's",
        "that a copied course left on another activity",
        "somebody else's",
        "that another cycle is scored in",
        "where no token may go",
        "without an address",
        "none",
    ],
)
def test_ags_3_pick(items: list[dict[str, Any]], number: int) -> None:
    place = Place(
        link_id=uuid4(),
        resource_link_id="5",
        line_item_url="",
        line_items_url=ITEMS,
        scopes=(),
        module="induction",
        cycle="2026-27",
        taken=(f"{ITEMS}/9/lineitem?type_id=2",),
    )
    assert pick(items, place) == (f"{ITEMS}/{number}/lineitem?type_id=1" if number else "")


def test_what_tells_a_line_item_of_ours() -> None:
    assert identity("induction", "2026-27") == {"resourceId": "induction", "tag": "policy-2026-27"}


@pytest.mark.parametrize(
    ("entry", "percent"),
    [
        ({"resultScore": 30, "resultMaximum": 40}, 75),
        ({"resultScore": 0.85}, 85),  # the maximum is 1 where none is given
        ({"resultMaximum": 100}, 0),  # Moodle leaves a score of 0 out
        ({"resultScore": "x", "resultMaximum": 100}, 0),
        ({"resultScore": 1, "resultMaximum": "NaN"}, None),
        ({"resultScore": None, "resultMaximum": None}, 0),
    ],
)
def test_results(entry: dict[str, Any], percent: float | None) -> None:
    result = line_items._result(entry)
    if percent is None:
        assert not result.is_about(0)
        assert not result.is_about(100)
    else:
        assert result.percent == percent


def test_a_platform_may_keep_whole_points() -> None:
    four_of_five = line_items._result({"resultScore": 4, "resultMaximum": 5})
    assert four_of_five.is_about(85)
    assert not four_of_five.is_about(95)
