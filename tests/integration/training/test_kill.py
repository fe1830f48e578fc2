"""The process is killed at every moment of an act: all of it is there afterwards, or nothing."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.engine import Engine

from lti_tool.app import create_app
from lti_tool.config import Config
from lti_tool.core.ledger import Disclosure, LedgerEntry, verify
from lti_tool.lti.models import ScoreOutbox
from lti_tool.people import access
from lti_tool.people.models import Visit
from lti_tool.training.models import Completion, Declaration, Question, Round
from tests.factories.registers import csrf
from tests.integration.training.conftest import Learner, arrived, from_a_platform

SIGNING = (Declaration, Completion, LedgerEntry, Disclosure, ScoreOutbox)


class Scene:
    """A learner whose next form is posted by a process that dies on the way."""

    def __init__(self, learner: Learner, token: str, instance: Path) -> None:
        self.learner, self.token = learner, token
        url = learner.database.engine.url.render_as_string(hide_password=False)
        self.config = Config(instance=instance, database_url=url, log_level="ERROR")

    def post_and_die(self, path: str, form: dict[str, str], moment: int) -> bool:
        """Post in a process of its own, killed before its n-th statement or commit; returns
        whether it got through alive."""
        pid = os.fork()
        if pid == 0:
            self._post(path, form, moment)
            os._exit(0)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0

    def _post(self, path: str, form: dict[str, str], moment: int) -> None:
        app = create_app(self.config, clock=self.learner.clock, catalogue=self.learner.catalogue)
        left = [moment]

        def count_down(*_: object) -> None:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

        engine: Engine = app.extensions["database"].engine
        event.listen(engine, "before_cursor_execute", count_down)
        event.listen(engine, "commit", count_down)
        headers = {"Cookie": f"{access.COOKIE}={self.token}"}
        token = csrf(app, self.learner.visit.id)
        client = app.test_client(use_cookies=False)
        answer = client.post(path, data={"csrf_token": token, **form}, headers=headers)
        if answer.status_code != 303:
            os._exit(1)

    def count(self, table: Any, *where: Any) -> int:
        with self.learner.database.reading() as session:
            found = session.scalar(select(func.count()).select_from(table).where(*where))
            return found or 0


@pytest.fixture
def scene(learner: Learner, tmp_path: Path) -> Scene:
    admission = arrived(learner.database, learner.clock())
    from_a_platform(learner.database, admission.visit_id, learner.clock())
    with learner.database.reading() as session:
        learner.visit = session.get_one(Visit, admission.visit_id)
    learner.begin()
    learner.read_all()
    return Scene(learner, admission.token, tmp_path)


def die_at_every_moment(
    scene: Scene, path: str, form: dict[str, str], counted: Callable[[], tuple[int, ...]]
) -> None:
    before = counted()
    deaths = 0
    while not scene.post_and_die(path, form, deaths + 1):
        deaths += 1
        assert counted() == before, f"killed at moment {deaths}"
        assert deaths < 80
    assert deaths > 5  # it really was killed on the way
    after = counted()
    assert all(new > old for old, new in zip(before, after, strict=True)), (before, after)


def test_a_completion_is_all_there_or_not_at_all(scene: Scene) -> None:
    scene.learner.answer_round()
    form = {"printed_name": "Sam Ostler", "has_agreed": "yes"}
    die_at_every_moment(
        scene,
        "/training/declaration",
        form,
        lambda: tuple(scene.count(table) for table in SIGNING),
    )
    with scene.learner.database.reading() as session:
        assert verify(session, school_id="little-school")[1] is None


def test_an_answer_that_ends_a_round_is_all_there_or_not_at_all(scene: Scene) -> None:
    """The last answer, if others were wrong, is written with the round that asks those again."""
    for one in scene.learner.sitting().round_now[:-1]:
        scene.learner.answer(one.position, "a")
    last = scene.learner.sitting().round_now[-1].position
    die_at_every_moment(
        scene,
        f"/training/questions/{last}",
        {"choice": "b"},
        lambda: (
            scene.count(Question, Question.answered_at.is_not(None)),
            scene.count(Question),
            scene.count(Round),
        ),
    )


def test_the_database_outlives_its_killed_writers(scene: Scene) -> None:
    """After all that, the next writer finds no lock left behind."""
    scene.post_and_die("/training/questions/1", {"choice": "b"}, 3)
    scene.learner.answer(1, "b")
