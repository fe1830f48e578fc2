"""No request of a person waits for a platform, and what they did is not lost."""

import threading
import time

import pytest
from sqlalchemy import update

from lti_tool.lti.models import Registration
from lti_tool.lti.services import connection, outbox
from lti_tool.lti.services.connection import Limits
from sandbox_lms.schools import SCHOOLS
from tests.factories.black_hole import black_hole
from tests.journeys.conftest import Product, Visitor

CALL_SECONDS, LONGEST = 120, 60
"""Of a call to the platform, and of any request: far apart, as busy machines stall."""


def _token_url(product: Product, url: str) -> None:
    with product.database.transaction() as session:
        session.execute(
            update(Registration).values(auth_token_url=url, version=Registration.version + 1)
        )
    product.app.extensions["lti"].registry.forget()


def test_finishing_while_the_platform_is_a_black_hole(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Meanwhile the worker hangs in a call to it, and another person finishes too."""
    monkeypatch.setattr(connection, "USUAL", Limits(call_seconds=CALL_SECONDS))
    platform, lti = product.platform, product.app.extensions["lti"]
    activity = platform.activity_at("glenmere")
    people = [platform.enrol_starter(SCHOOLS["glenmere"]) for _ in range(2)]
    waited: list[float] = []
    try:
        with black_hole() as url:
            _token_url(product, f"{url}/token")
            worker = threading.Thread(target=outbox.send_due, args=(lti,))
            for person in people:
                visitor = Visitor(product, person, activity)
                visitor.http.hooks["response"].append(
                    lambda reply, **_: waited.append(reply.elapsed.total_seconds())
                )
                visitor.learn()
                assert "Waiting" in visitor.page.get_text()
                if not worker.ident:
                    worker.start()
                    time.sleep(0.5)  # into the call
                assert worker.is_alive()
        worker.join()
    finally:
        _token_url(product, f"{platform.issuer}/token")
    assert max(waited) < LONGEST
    outbox.send_due(lti, hurry=True)
    for person in people:
        grade = platform.gradebook.grade(activity.line_item_id, person.id)
        assert grade is not None
        assert grade.score == 100
