"""A launch with everything that Moodle adds."""

import pytest
from sqlalchemy import select

from lti_tool.core.database import Table
from tests.conformance.world import CORE, SCHOOL, World, set_cookies


@pytest.mark.parametrize("locale", ["en", "en_us", "cy"])
def test_a_launch_of_an_activity_with_all_that_moodle_adds(
    tool: World, locale: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The language of its own pages, with an underscore, is not that of the training. A name with
    capitals or spaces comes twice, what it does not know comes as it was written, ids of staff are
    empty, and the address to return to holds the person's live session key."""
    target = f"{tool.url}/lti/launch?school=glenmere"  # a teacher may add to it
    said: dict[str, object] = {
        f"{CORE}target_link_uri": target,
        f"{CORE}custom": {
            "module": "annual-refresh",
            "Module": "annual-refresh",
            "our_key": "1",
            "Our Key": "1",
            "due": "$ResourceLink.submission.endDateTime",
            "school": "$Unknown.variable",
            "context_memberships_url": f"{tool.platform.issuer}/members",
        },
        f"{CORE}lis": {"person_sourcedid": "", "course_section_sourcedid": ""},
        f"{CORE}context": {"id": "2", "label": "S", "title": "Staff", "type": ["CourseSection"]},
        f"{CORE}launch_presentation": {
            "locale": locale,
            "document_target": "iframe",
            "return_url": f"{tool.platform.issuer}/mod/lti/return.php?course=2&sesskey=LIVEKEY",
        },
        f"{CORE}ext": {"user_username": "student1", "lms": "moodle-2"},
    }
    begun = tool.begin(target_link_uri=target)
    reply = tool.post(begun, tool.token(begun, **said))
    assert reply.status_code == 303
    visit = tool.visits()[-1]
    assert (visit.school_id, visit.module) == (SCHOOL, "annual-refresh")
    cookie = "; ".join(f"{name}={value}" for name, value in set_cookies(reply).items())
    page = tool.http.get(f"{tool.url}/my-training", headers={"Cookie": cookie}, timeout=30)
    assert page.status_code == 200
    assert '<html lang="en-GB"' in page.text
    with tool.database.reading() as session:
        rows = [session.execute(select(one)).all() for one in Table.metadata.tables.values()]
    assert "LIVEKEY" not in str(rows) + caplog.text + str([one.__dict__ for one in caplog.records])
    assert tool.platform.issuer in str(rows)
