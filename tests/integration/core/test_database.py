"""What the database layer owes to those whose data it holds."""

import stat
from pathlib import Path

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import SQLAlchemyError

from lti_tool.core.database import Database
from lti_tool.core.ids import new_id
from lti_tool.people.models import Person
from tests.conftest import SetClock


def test_a_fault_tells_no_values(database: Database, clock: SetClock) -> None:
    """Faults go to the log with all they say, and a log holds no names."""
    person = {"id": new_id(), "name": "Kim Amberley", "email": "kim@example.org"}
    again = insert(Person).values(**person, created_at=clock())
    with database.reading() as session:
        session.execute(again)
        with pytest.raises(SQLAlchemyError) as fault:
            session.execute(again)
    assert "kim" not in str(fault.value).lower()


def test_a_new_sqlite_file_is_its_owners_alone(tmp_path: Path) -> None:
    """It holds people's names, and the tokens that platforms give us."""
    database = Database(f"sqlite:///{tmp_path / 'new' / 'clauseway.sqlite3'}")
    with database.transaction() as session:
        session.connection().exec_driver_sql("CREATE TABLE kept (one)")
        modes = {
            path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "new").iterdir()
        }
    database.engine.dispose()
    assert len(modes) == 3
    assert set(modes.values()) == {0o600}, modes
