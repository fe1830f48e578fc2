"""What the database itself refuses on the ledger: every change but an insert.

SQLite: ``REPLACE`` deletes first, which the delete trigger refuses because the connection has
``recursive_triggers`` on; the insert trigger refuses it as well on a connection that has not.
PostgreSQL: row triggers for update and delete, a statement trigger for ``TRUNCATE``.
"""

import re
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

SQLITE = """
CREATE TRIGGER ledger_entry_no_update BEFORE UPDATE ON ledger_entry
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_entry_no_delete BEFORE DELETE ON ledger_entry
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_entry_no_replace BEFORE INSERT ON ledger_entry
WHEN EXISTS (SELECT 1 FROM ledger_entry
             WHERE (school_id = NEW.school_id AND sequence = NEW.sequence)
                OR record_id = NEW.record_id)
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_head_no_delete BEFORE DELETE ON ledger_head
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_head_no_replace BEFORE INSERT ON ledger_head
WHEN EXISTS (SELECT 1 FROM ledger_head WHERE school_id = NEW.school_id)
BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER ledger_head_forward BEFORE UPDATE ON ledger_head
WHEN NEW.sequence <= OLD.sequence OR NEW.school_id <> OLD.school_id
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
"""

POSTGRESQL = """
CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$;
CREATE TRIGGER ledger_entry_no_change BEFORE UPDATE OR DELETE ON ledger_entry
FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_entry_no_truncate BEFORE TRUNCATE ON ledger_entry
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_head_no_delete BEFORE DELETE ON ledger_head
FOR EACH ROW EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_head_no_truncate BEFORE TRUNCATE ON ledger_head
FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
CREATE TRIGGER ledger_head_forward BEFORE UPDATE ON ledger_head
FOR EACH ROW WHEN (NEW.sequence <= OLD.sequence OR NEW.school_id <> OLD.school_id)
EXECUTE FUNCTION ledger_refuse();
"""

# Tables beside the ledger that are appended likewise. The keys are what a replacement would hit.
APPENDED = {
    "checkpoint": ("id = NEW.id", "school_id = NEW.school_id AND size = NEW.size"),
    "ledger_tile": ("school_id = NEW.school_id AND level = NEW.level AND number = NEW.number",),
    "act": ("id = NEW.id",),
    "act_concerns": ("act_id = NEW.act_id AND person_id = NEW.person_id",),
}
CHECKPOINTS, ACTS = ("checkpoint", "ledger_tile"), ("act", "act_concerns")
SQLITE_APPENDED = """
CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;
CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;
CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table}
WHEN EXISTS (SELECT 1 FROM {table} WHERE {same})
BEGIN SELECT RAISE(IGNORE); END;
"""
POSTGRESQL_APPENDED = """
CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '{table} is append-only'; END $$;
CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table}
FOR EACH ROW EXECUTE FUNCTION {table}_refuse();
CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse();
"""

_NAMED: Final = re.compile(r"CREATE TRIGGER (\w+)")


def install(connection: Connection) -> None:
    """Put the guards on the ledger's tables."""
    if connection.dialect.name == "sqlite":
        for statement in SQLITE.split("END;")[:-1]:
            connection.exec_driver_sql(statement + "END;")
    else:
        connection.exec_driver_sql(POSTGRESQL)


def guard_appended(connection: Connection, tables: Sequence[str] = CHECKPOINTS) -> None:
    """Put the guards on these tables.

    A row that is there already is passed by on SQLite, as ``ON CONFLICT DO NOTHING`` does.
    """
    for table in tables:
        if connection.dialect.name != "sqlite":
            connection.exec_driver_sql(POSTGRESQL_APPENDED.format(table=table))
            continue
        same = " OR ".join(f"({key})" for key in APPENDED[table])
        for statement in SQLITE_APPENDED.format(table=table, same=same).split("END;")[:-1]:
            connection.exec_driver_sql(statement + "END;")


def missing(connection: Connection) -> list[str]:
    """The guards that should be on the database's tables and are not, or are switched off."""
    if connection.dialect.name == "sqlite":
        written, appended = SQLITE, SQLITE_APPENDED
        asked = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    else:
        written, appended = POSTGRESQL, POSTGRESQL_APPENDED
        asked = (
            "SELECT tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
            "WHERE relnamespace = current_schema()::regnamespace AND tgenabled IN ('O', 'A')"
        )
    should = _NAMED.findall(written)
    for table in APPENDED:
        should += _NAMED.findall(appended.format(table=table, same=""))
    there = {name for (name,) in connection.exec_driver_sql(asked)}
    return [name for name in should if name not in there]
