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

# Values of the ledger go only through a disposal that is under way, and leave an erasure each.
UNDER_WAY = "SELECT 1 FROM disposal WHERE school_id = OLD.school_id AND ended_at IS NULL"
SQLITE_DISPOSAL = """
CREATE TRIGGER disclosure_no_update BEFORE UPDATE ON disclosure
BEGIN SELECT RAISE(ABORT, 'disclosure is append-only'); END;
CREATE TRIGGER disclosure_no_delete BEFORE DELETE ON disclosure
WHEN NOT EXISTS (SELECT 1 FROM erasure JOIN disposal ON disposal.id = erasure.disposal_id
                 WHERE erasure.record_id = OLD.record_id AND erasure.field = OLD.field
                   AND disposal.ended_at IS NULL)
BEGIN SELECT RAISE(ABORT, 'disclosure is append-only'); END;
CREATE TRIGGER disclosure_no_replace BEFORE INSERT ON disclosure
WHEN EXISTS (SELECT 1 FROM disclosure WHERE record_id = NEW.record_id AND field = NEW.field)
  OR EXISTS (SELECT 1 FROM erasure WHERE record_id = NEW.record_id AND field = NEW.field)
BEGIN SELECT RAISE(ABORT, 'disclosure is append-only'); END;
CREATE TRIGGER erasure_no_update BEFORE UPDATE ON erasure
BEGIN SELECT RAISE(ABORT, 'erasure is append-only'); END;
CREATE TRIGGER erasure_no_delete BEFORE DELETE ON erasure
BEGIN SELECT RAISE(ABORT, 'erasure is append-only'); END;
CREATE TRIGGER erasure_founded BEFORE INSERT ON erasure
WHEN EXISTS (SELECT 1 FROM erasure WHERE record_id = NEW.record_id AND field = NEW.field)
  OR NOT EXISTS (SELECT 1 FROM disposal WHERE id = NEW.disposal_id AND ended_at IS NULL
                   AND school_id = NEW.school_id)
  OR NOT EXISTS (SELECT 1 FROM disclosure WHERE record_id = NEW.record_id AND field = NEW.field
                   AND school_id = NEW.school_id)
BEGIN SELECT RAISE(ABORT, 'erasure is append-only'); END;
CREATE TRIGGER disposal_no_delete BEFORE DELETE ON disposal
BEGIN SELECT RAISE(ABORT, 'disposal is append-only'); END;
CREATE TRIGGER disposal_no_replace BEFORE INSERT ON disposal
WHEN EXISTS (SELECT 1 FROM disposal WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'disposal is append-only'); END;
CREATE TRIGGER disposal_ends BEFORE UPDATE ON disposal
WHEN OLD.ended_at IS NOT NULL OR NEW.ended_at IS NULL OR NEW.id <> OLD.id
  OR NEW.school_id <> OLD.school_id OR NEW.kind <> OLD.kind OR NEW.months <> OLD.months
  OR NEW.before <> OLD.before OR NEW.began_at <> OLD.began_at
BEGIN SELECT RAISE(ABORT, 'disposal is append-only'); END;
DROP TRIGGER act_no_delete;
CREATE TRIGGER act_no_delete BEFORE DELETE ON act
WHEN NOT EXISTS ({under_way} AND kind = 'access-log' AND OLD.at < disposal.before)
BEGIN SELECT RAISE(ABORT, 'act is append-only'); END;
DROP TRIGGER act_concerns_no_delete;
CREATE TRIGGER act_concerns_no_delete BEFORE DELETE ON act_concerns
WHEN NOT EXISTS ({under_way} AND kind = 'access-log'
  AND (SELECT at FROM act WHERE id = OLD.act_id) < disposal.before)
BEGIN SELECT RAISE(ABORT, 'act_concerns is append-only'); END;
"""
POSTGRESQL_DISPOSAL = """
CREATE FUNCTION disposal_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only'; END $$;
CREATE FUNCTION disclosure_goes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM erasure JOIN disposal ON disposal.id = erasure.disposal_id
                 WHERE erasure.record_id = OLD.record_id AND erasure.field = OLD.field
                   AND disposal.ended_at IS NULL)
  THEN RAISE EXCEPTION 'disclosure is append-only'; END IF;
  RETURN OLD;
END $$;
CREATE FUNCTION disclosure_comes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM erasure WHERE record_id = NEW.record_id AND field = NEW.field)
  THEN RAISE EXCEPTION 'disclosure is append-only'; END IF;
  RETURN NEW;
END $$;
CREATE FUNCTION erasure_comes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM disposal WHERE id = NEW.disposal_id AND ended_at IS NULL
                   AND school_id = NEW.school_id)
    OR NOT EXISTS (SELECT 1 FROM disclosure WHERE record_id = NEW.record_id
                     AND field = NEW.field AND school_id = NEW.school_id)
  THEN RAISE EXCEPTION 'erasure is append-only'; END IF;
  RETURN NEW;
END $$;
CREATE FUNCTION act_goes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS ({under_way} AND kind = 'access-log' AND OLD.at < disposal.before)
  THEN RAISE EXCEPTION 'act is append-only'; END IF;
  RETURN OLD;
END $$;
CREATE FUNCTION act_concerns_goes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS ({under_way} AND kind = 'access-log'
    AND (SELECT at FROM act WHERE id = OLD.act_id) < disposal.before)
  THEN RAISE EXCEPTION 'act_concerns is append-only'; END IF;
  RETURN OLD;
END $$;
CREATE TRIGGER disclosure_no_update BEFORE UPDATE ON disclosure
FOR EACH ROW EXECUTE FUNCTION disposal_refuse();
CREATE TRIGGER disclosure_no_delete BEFORE DELETE ON disclosure
FOR EACH ROW EXECUTE FUNCTION disclosure_goes();
CREATE TRIGGER disclosure_no_return BEFORE INSERT ON disclosure
FOR EACH ROW EXECUTE FUNCTION disclosure_comes();
CREATE TRIGGER erasure_no_change BEFORE UPDATE OR DELETE ON erasure
FOR EACH ROW EXECUTE FUNCTION disposal_refuse();
CREATE TRIGGER erasure_founded BEFORE INSERT ON erasure
FOR EACH ROW EXECUTE FUNCTION erasure_comes();
CREATE TRIGGER disposal_no_delete BEFORE DELETE ON disposal
FOR EACH ROW EXECUTE FUNCTION disposal_refuse();
CREATE TRIGGER disposal_ends BEFORE UPDATE ON disposal
FOR EACH ROW WHEN (OLD.ended_at IS NOT NULL OR NEW.ended_at IS NULL OR NEW.id <> OLD.id
  OR NEW.school_id <> OLD.school_id OR NEW.kind <> OLD.kind OR NEW.months <> OLD.months
  OR NEW.before <> OLD.before OR NEW.began_at <> OLD.began_at)
EXECUTE FUNCTION disposal_refuse();
CREATE TRIGGER disclosure_no_truncate BEFORE TRUNCATE ON disclosure
FOR EACH STATEMENT EXECUTE FUNCTION disposal_refuse();
CREATE TRIGGER erasure_no_truncate BEFORE TRUNCATE ON erasure
FOR EACH STATEMENT EXECUTE FUNCTION disposal_refuse();
CREATE TRIGGER disposal_no_truncate BEFORE TRUNCATE ON disposal
FOR EACH STATEMENT EXECUTE FUNCTION disposal_refuse();
DROP TRIGGER act_no_change ON act;
CREATE TRIGGER act_no_update BEFORE UPDATE ON act
FOR EACH ROW EXECUTE FUNCTION act_refuse();
CREATE TRIGGER act_no_delete BEFORE DELETE ON act
FOR EACH ROW EXECUTE FUNCTION act_goes();
DROP TRIGGER act_concerns_no_change ON act_concerns;
CREATE TRIGGER act_concerns_no_update BEFORE UPDATE ON act_concerns
FOR EACH ROW EXECUTE FUNCTION act_concerns_refuse();
CREATE TRIGGER act_concerns_no_delete BEFORE DELETE ON act_concerns
FOR EACH ROW EXECUTE FUNCTION act_concerns_goes();
"""

_NAMED: Final = re.compile(r"(CREATE|DROP) TRIGGER (\w+)")


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


def guard_disposal(connection: Connection) -> None:
    """Let values of the ledger and rows of the access log go through a disposal alone."""
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql(POSTGRESQL_DISPOSAL.replace("{under_way}", UNDER_WAY))
        return
    statements = SQLITE_DISPOSAL.replace("{under_way}", UNDER_WAY)
    for statement in re.split(r"(?<=;)\n(?=CREATE|DROP)", statements.strip()):
        connection.exec_driver_sql(statement)


def missing(connection: Connection) -> list[str]:
    """The guards that should be on the database's tables and are not, or are switched off."""
    if connection.dialect.name == "sqlite":
        written, appended, disposal = SQLITE, SQLITE_APPENDED, SQLITE_DISPOSAL
        asked = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    else:
        written, appended, disposal = POSTGRESQL, POSTGRESQL_APPENDED, POSTGRESQL_DISPOSAL
        asked = (
            "SELECT tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
            "WHERE relnamespace = current_schema()::regnamespace AND tgenabled IN ('O', 'A')"
        )
    each = [appended.format(table=table, same="") for table in APPENDED]
    should: dict[str, None] = {}  # in order, and the later word counts
    for verb, name in _NAMED.findall("\n".join((written, *each, disposal))):
        if verb == "CREATE":
            should[name] = None
        else:
            del should[name]
    there = {name for (name,) in connection.exec_driver_sql(asked)}
    return [name for name in should if name not in there]
