"""What the worker does for evidence: packs as they are asked for, a checkpoint a day."""

from collections.abc import Callable
from uuid import UUID

from flask import Flask
from huey import crontab

from lti_tool.core.drawers import Drawer, open_drawer
from lti_tool.evidence.checkpoints.making import make_daily
from lti_tool.evidence.packs.asking import remove_old
from lti_tool.evidence.packs.making import Maker, make, make_due


def maker_of(app: Flask) -> Maker:
    """What making a pack needs, from the app."""
    extensions = app.extensions
    return Maker(
        database=extensions["database"],
        keys=extensions["evidence_keys"],
        catalogue=extensions["catalogue"],
        clock=extensions["clock"],
        drawer=drawer_of(app),
        folder=extensions["config"].instance / "packs",
    )


def drawer_of(app: Flask) -> Drawer:
    """Where the installation keeps its packs."""
    return open_drawer(app.extensions["config"], app.extensions["database"], "packs")


def register_tasks(app: Flask) -> Callable[[str], object]:
    """Give the queue its tasks; returns what wakes the worker for one pack."""
    queue = app.extensions["queue"]

    @queue.task(name="make_pack")  # type: ignore[untyped-decorator]
    def make_pack(pack_id: str) -> None:
        with app.app_context():
            make(maker_of(app), UUID(pack_id))

    @queue.periodic_task(crontab(minute="*"), name="sweep_packs")  # type: ignore[untyped-decorator]
    def sweep_packs() -> None:
        maker = maker_of(app)
        with app.app_context():
            make_due(maker)
        remove_old(maker.database, maker.drawer, maker.folder, now=maker.clock())

    @queue.periodic_task(crontab(hour="3", minute="11"), name="daily_checkpoints")  # type: ignore[untyped-decorator]
    def daily_checkpoints() -> None:
        maker = maker_of(app)
        make_daily(maker.database, maker.keys, now=maker.clock())

    wake: Callable[[str], object] = make_pack
    return wake
