"""Which line item takes a score (AGS-2, AGS-3), and one for each cycle."""

import json
import threading
from dataclasses import replace

import pytest
from sqlalchemy import select

from lti_tool.lti.claims import LINE_ITEM_SCOPE, SCORE_SCOPE
from lti_tool.lti.models import ResourceLink
from lti_tool.lti.services import claiming, outbox, placing
from lti_tool.lti.services.scores import Delivery
from sandbox_lms.platform import OMIT
from tests.conformance.world import CORE, SCHOOL, World
from tests.conftest import SetClock
from tests.factories.scoring import arrive, asked, endpoint, held, owe, rows, where


def test_ags_2_declared_line_item_is_not_looked_up(tool: World) -> None:
    visit = arrive(tool, **endpoint(tool, lineitems=OMIT, scope=[SCORE_SCOPE]))
    owe(tool, visit)
    assert outbox.send_due(tool.lti) == 1
    assert not asked(tool, "/lineitems")


def test_ags_3_line_item_is_found_by_its_link(tool: World) -> None:
    items = len(tool.platform.gradebook.items)
    owe(tool, arrive(tool, **endpoint(tool, lineitem=OMIT)))
    assert outbox.send_due(tool.lti) == 1
    assert held(tool) == 90
    assert len(tool.platform.gradebook.items) == items


def test_a_1_a_learners_launch_is_all_it_takes(tool: World) -> None:
    """Nobody has set up a column for marks: the tool makes it, and scores there."""
    for item_id in tool.platform.items_of(tool.activity):
        tool.platform.gradebook.delete(item_id)
    completion_id = owe(tool, arrive(tool))
    assert outbox.send_due(tool.lti) == 1
    assert held(tool) == 90
    assert where(tool, completion_id).state == "sent"


def test_ags_3_line_item_is_made_once(tool: World) -> None:
    for item_id in tool.platform.items_of(tool.activity):
        tool.platform.gradebook.delete(item_id)
    visit = arrive(tool, **endpoint(tool, lineitem=OMIT))
    owe(tool, visit, 80)
    assert outbox.send_due(tool.lti) == 1
    owe(tool, visit, 95)
    assert outbox.send_due(tool.lti) == 1
    (item_id,) = tool.platform.items_of(tool.activity)
    item = tool.platform.gradebook.item(item_id)
    assert (item.resource_id, item.tag, item.score_maximum) == ("induction", "policy-2026", 100)
    assert held(tool) == 95


@pytest.mark.parametrize("is_coupled", [True, False])
def test_ags_3_a_copied_activity_is_scored_in_its_own_line_item(
    tool: World, is_coupled: bool
) -> None:
    """Moodle copies our resource id and tag along: a new activity, a new line item, and nothing
    but the link to tell the two apart. Where a platform leaves the copy on no activity, it is
    taken too. In neither case is there a second one."""
    book = tool.platform.gradebook
    for item_id in tool.platform.items_of(tool.activity):
        book.delete(item_id)
    owe(tool, arrive(tool, **endpoint(tool, lineitem=OMIT)), 80)
    assert outbox.send_due(tool.lti) == 1
    (first,) = tool.platform.items_of(tool.activity)
    copy = replace(book.item(first), id=first + 1, resource_link_id="copy" if is_coupled else None)
    book.items[copy.id] = copy
    link = {f"{CORE}resource_link": {"id": "copy", "title": "Social media policy (copy)"}}
    colleague = tool.platform.person(SCHOOL, "assistant")
    owe(tool, arrive(tool, colleague, **link, **endpoint(tool, lineitem=OMIT)), 95)
    assert outbox.send_due(tool.lti) == 1
    assert {one.id for one in book.items.values() if one.tag == copy.tag} == {first, copy.id}
    grades = {one: book.grade(one, colleague.id) for one in (first, copy.id)}
    assert {one: grade.score if grade else None for one, grade in grades.items()} == {
        first: None,
        copy.id: 95,
    }
    assert held(tool) == 80


def test_a_line_item_that_may_not_be_looked_for_needs_attention(tool: World) -> None:
    visit = arrive(tool, **endpoint(tool, lineitem=OMIT, scope=[SCORE_SCOPE]))
    completion_id = owe(tool, visit)
    outbox.send_due(tool.lti)
    assert where(tool, completion_id).state == "attention"
    assert where(tool, completion_id).reason_code == "no-line-item"


def test_ags_10_a_line_item_that_is_gone_is_found_again(tool: World) -> None:
    owe(tool, arrive(tool))
    (item_id,) = tool.platform.items_of(tool.activity)
    tool.platform.gradebook.delete(item_id)
    assert outbox.send_due(tool.lti) == 1
    assert held(tool) == 90


def test_ags_10_a_course_that_is_gone_needs_attention(tool: World) -> None:
    completion_id = owe(tool, arrive(tool))
    tool.platform.faults.put("scores", "404")
    tool.platform.faults.put("lineitems", "404")
    outbox.send_due(tool.lti)
    assert where(tool, completion_id) == Delivery("attention", "The platform", "line-item-gone")


def _held_by_tag(tool: World) -> dict[str, float | None]:
    """What each line item of the activity holds for the learner."""
    book = tool.platform.gradebook
    return {
        book.item(item_id).tag: grade.score if grade else None
        for item_id in tool.platform.items_of(tool.activity)
        for grade in [book.grade(item_id, tool.learner.id)]
    }


def test_each_cycle_has_its_line_item_and_last_years_result_stands(
    tool: World, clock: SetClock
) -> None:
    owe(tool, arrive(tool), 95, cycle="2026-27")
    assert outbox.send_due(tool.lti) == 1
    assert not asked(tool, "/lineitems"), "the launch's own is used for the first cycle"
    clock.move(days=365)
    owe(tool, arrive(tool), 85, cycle="2027-28")
    owe(tool, arrive(tool, tool.platform.person(SCHOOL, "assistant")), 90, cycle="2027-28")
    assert outbox.send_due(tool.lti) == 2
    assert _held_by_tag(tool) == {"": 95, "policy-2027-28": 85}
    made = [seen for seen in asked(tool, "/lineitems") if seen.method == "POST"]
    assert len(made) == 1
    assert json.loads(made[0].body) == {
        "label": "Social media policy training, 2027-28",
        "scoreMaximum": 100,
        "resourceId": "induction",
        "tag": "policy-2027-28",
        "resourceLinkId": tool.activity.id,
    }
    assert len(asked(tool, "/lineitems")) == 3, "looked for once, by link and by resource id"


def test_a_late_score_of_last_cycle_goes_where_that_cycle_is(tool: World, clock: SetClock) -> None:
    """With two line items on the activity, Moodle's launches name neither as its own."""
    owe(tool, arrive(tool), 80, cycle="2026-27")
    outbox.send_due(tool.lti)
    owe(tool, arrive(tool), 90, cycle="2027-28")
    outbox.send_due(tool.lti)
    clock.move(hours=1)
    visit = arrive(tool)
    with tool.database.reading() as session:
        assert session.scalars(select(ResourceLink.line_item_url)).one() == ""
    owe(tool, visit, 95, cycle="2026-27")
    owe(tool, visit, 92, cycle="2028-29")
    assert outbox.send_due(tool.lti) == 2
    assert _held_by_tag(tool) == {"": 95, "policy-2027-28": 90, "policy-2028-29": 92}


def test_ags_2_where_no_line_item_can_be_made_the_own_one_is_all_there_is(
    tool: World, clock: SetClock
) -> None:
    only = endpoint(tool, lineitems=OMIT, scope=[SCORE_SCOPE])
    owe(tool, arrive(tool, **only), 95, cycle="2026-27")
    outbox.send_due(tool.lti)
    clock.move(days=365)
    owe(tool, arrive(tool, **only), 85, cycle="2027-28")
    assert outbox.send_due(tool.lti) == 1
    assert _held_by_tag(tool) == {"": 85}


def test_leave_to_make_one_that_turns_out_to_be_none(tool: World) -> None:
    """Moodle answers with 401 where the token lacks the scope."""
    owe(tool, arrive(tool), 95, cycle="2026-27")
    outbox.send_due(tool.lti)
    tool.platform.token_allows = lambda token, scopes: (  # type: ignore[method-assign]
        scopes != (LINE_ITEM_SCOPE,)
    )
    owe(tool, arrive(tool), 85, cycle="2027-28")
    assert outbox.send_due(tool.lti) == 1
    assert _held_by_tag(tool) == {"": 85}


@pytest.mark.parametrize("kind", ["503", "500", "429", "reset", "403", "400", "404"])
def test_ags_3_nothing_is_made_while_it_cannot_be_looked_for(tool: World, kind: str) -> None:
    for item_id in tool.platform.items_of(tool.activity):
        tool.platform.gradebook.delete(item_id)
    completion_id = owe(tool, arrive(tool, **endpoint(tool, lineitem=OMIT)))
    tool.platform.faults.put("lineitems", kind, times=1)
    assert outbox.send_due(tool.lti) == 0
    assert tool.platform.items_of(tool.activity) == []
    is_over = kind in ("403", "400", "404")
    assert where(tool, completion_id).state == ("attention" if is_over else "waiting")


def test_ags_3_several_workers_make_one(tool: World) -> None:
    """A new cycle's first scores come together."""
    owe(tool, arrive(tool), 95, cycle="2026-27")
    outbox.send_due(tool.lti)
    for kind in ("starter", "assistant", "governor"):
        owe(tool, arrive(tool, tool.platform.person(SCHOOL, kind)), cycle="2027-28")
    gate = threading.Barrier(3)

    def work() -> None:
        gate.wait()
        outbox.send_due(tool.lti)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(_held_by_tag(tool)) == {"", "policy-2027-28"}
    outbox.send_due(tool.lti, hurry=True)
    assert [row.state for row in rows(tool)] == ["sent"] * 4
    assert set(_held_by_tag(tool)) == {"", "policy-2027-28"}


def test_a_search_that_a_dead_worker_left_is_taken_over(tool: World, clock: SetClock) -> None:
    owe(tool, arrive(tool), cycle="2026-27")
    outbox.send_due(tool.lti)
    owe(tool, arrive(tool), cycle="2027-28")
    (claimed,) = claiming.claim(tool.lti)
    placing._begin(tool.lti, claimed.place, "")
    with pytest.raises(placing.BeingSought):
        placing.seek(tool.lti, claimed.platform, claimed.place)
    clock.move(minutes=11)
    assert outbox.send_due(tool.lti) == 1
    assert _held_by_tag(tool) == {"": 90, "policy-2027-28": 90}


def test_ags_10_a_deleted_line_item_of_a_later_cycle_is_made_again(tool: World) -> None:
    owe(tool, arrive(tool), 95, cycle="2026-27")
    outbox.send_due(tool.lti)
    visit = arrive(tool)
    owe(tool, visit, 80, cycle="2027-28")
    outbox.send_due(tool.lti)
    tool.platform.gradebook.delete(max(tool.platform.items_of(tool.activity)))
    owe(tool, visit, 90, cycle="2027-28")
    assert outbox.send_due(tool.lti) == 1
    assert _held_by_tag(tool) == {"": 95, "policy-2027-28": 90}


def test_a_line_item_that_is_gone_may_come_back_with_a_later_launch(
    tool: World, clock: SetClock
) -> None:
    only = {"lineitems": OMIT, "scope": [SCORE_SCOPE]}
    completion_id = owe(tool, arrive(tool, **endpoint(tool, **only)))
    tool.platform.faults.put("scores", "404")
    outbox.send_due(tool.lti)
    assert where(tool, completion_id).reason_code == "line-item-gone"
    tool.platform.faults.clear()
    clock.move(hours=1)
    assert outbox.sweep(tool.lti) == 0
    arrive(tool, **endpoint(tool, **only))
    assert outbox.sweep(tool.lti) == 1
