"""What the database itself refuses on the ledger: every change but an insert.

SQLite: ``REPLACE`` deletes first, which the delete trigger refuses because the connection has
``recursive_triggers`` on; the insert trigger refuses it as well on a connection that has not.
PostgreSQL: row triggers for update and delete, a statement trigger for ``TRUNCATE``.
"""

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


def install(connection: Connection) -> None:
    """Put the guards on the ledger's tables."""
    if connection.dialect.name == "sqlite":
        for statement in SQLITE.split("END;")[:-1]:
            connection.exec_driver_sql(statement + "END;")
    else:
        connection.exec_driver_sql(POSTGRESQL)
