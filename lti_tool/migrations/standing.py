"""Whether a database is at a layout that this code can work with.

Web processes ask it at every ``/readyz``, so it needs no Alembic: versions are numbered, and each
file's name begins with its number.
"""

from pathlib import Path

from sqlalchemy import Engine, inspect, text

VERSIONS = Path(__file__).with_name("versions")


def ours() -> list[str]:
    """The versions there are, the newest last."""
    return sorted(path.name[:4] for path in VERSIONS.glob("[0-9]*.py"))


def can_serve(engine: Engine) -> bool:
    """Whether this code can work with the database: it stands at the newest version, or at one of
    a newer tool's, whose migrations add and take nothing away (``docs/operations.md``)."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return False
        found = str(connection.scalar(text("SELECT version_num FROM alembic_version")) or "")
    return found != "" and found not in ours()[:-1]
