"""Statements of the hottest paths, a launch and a learner's pages: compiled once, then handed
straight to the driver.

A statement costs SQLAlchemy some 25 µs to prepare, send and read, more where mapped objects are
made of its rows, and SQLite 5. A launch has nine of them, which made a third of its cost.
Everything else goes through a session as usual.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Dialect, Insert, Select, Update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

Processor = Callable[[Any], Any]


@dataclass(frozen=True)
class _Prepared:
    sql: str
    binds: Sequence[tuple[str, Processor | None]]
    constants: Mapping[str, Any]
    """What the statement says itself."""
    is_positional: bool
    row: Any
    columns: Sequence[tuple[int, Processor]]
    """The places of those that are not used as the driver gives them."""
    dialect: Dialect


class Hot:
    """A SELECT with ``bindparam``s, or an INSERT or UPDATE of the columns named: asked with their
    values, on a connection or on a session's, with whatever that has written.

    Rows are named tuples. Faults are those of ``sqlalchemy.exc``.
    """

    def __init__(self, statement: Select[Any] | Insert | Update, *columns: str) -> None:
        self._statement: Final = statement
        self._columns: Final = columns
        self._prepared: Final[dict[str, _Prepared]] = {}

    def run(self, on: Session | Connection, values: Mapping[str, Any]) -> int:
        """Write; returns how many rows were."""
        cursor, _prepared = self._ask(on, values)
        number: int = cursor.rowcount
        cursor.close()
        return number

    def one(self, on: Session | Connection, values: Mapping[str, Any]) -> Any:
        """The one row there can be, or nothing."""
        cursor, prepared = self._ask(on, values)
        found = cursor.fetchone()
        cursor.close()
        return None if found is None else _row(prepared, found)

    def all(self, on: Session | Connection, values: Mapping[str, Any]) -> list[Any]:
        """Every row."""
        cursor, prepared = self._ask(on, values)
        found = cursor.fetchall()
        cursor.close()
        return [_row(prepared, one) for one in found]

    def _ask(self, on: Session | Connection, values: Mapping[str, Any]) -> tuple[Any, _Prepared]:
        connection = on if isinstance(on, Connection) else _connection(on)
        prepared = self._prepare(connection.dialect)
        return _execute(connection, prepared, values), prepared

    def _prepare(self, dialect: Dialect) -> _Prepared:
        known = self._prepared.get(dialect.name)
        return known or self._prepared.setdefault(dialect.name, self._compile(dialect))

    def _compile(self, dialect: Dialect) -> _Prepared:
        names = list(self._columns) or None
        compiled: Any = self._statement.compile(dialect=dialect, column_keys=names)
        selected = (
            list(self._statement.selected_columns) if isinstance(self._statement, Select) else []
        )
        row = namedtuple("Row", [column.key for column in selected])  # type: ignore[misc]
        return _Prepared(
            sql=str(compiled),
            binds=[
                (name, _impl(compiled.binds[name].type, dialect).bind_processor(dialect))
                for name in compiled.positiontup or compiled.binds
            ],
            constants={name: one.value for name, one in compiled.binds.items() if not one.required},
            is_positional=compiled.positional,
            row=row,
            columns=[
                (place, read)
                for place, column in enumerate(selected)
                if (read := _impl(column.type, dialect).result_processor(dialect, None))
            ],
            dialect=dialect,
        )


def _impl(kind: TypeEngine[Any], dialect: Dialect) -> TypeEngine[Any]:
    return kind.dialect_impl(dialect)


def _connection(session: Session) -> Connection:
    session.flush()
    if session.in_nested_transaction():
        return session.connection()
    bind = session.get_bind()  # one of our own sessions holds a connection, and no more is needed
    return bind if isinstance(bind, Connection) else session.connection()


def _row(prepared: _Prepared, found: Sequence[Any]) -> Any:
    row = list(found)
    for place, read in prepared.columns:
        if row[place] is not None:
            row[place] = read(row[place])
    return prepared.row._make(row)


def _execute(connection: Connection, prepared: _Prepared, values: Mapping[str, Any]) -> Any:
    if prepared.constants:
        values = {**prepared.constants, **values}
    given = [
        (name, write(values[name]) if write and values[name] is not None else values[name])
        for name, write in prepared.binds
    ]
    parameters = [value for _name, value in given] if prepared.is_positional else dict(given)
    driver: Any = prepared.dialect.loaded_dbapi
    cursor = connection.connection.cursor()
    for note in connection.dispatch.before_cursor_execute:  # whoever watches sees these too
        note(connection, cursor, prepared.sql, parameters, None, False)
    try:
        cursor.execute(prepared.sql, parameters)
    except driver.Error as fault:
        cursor.close()
        raise _said(fault, prepared.sql, prepared.dialect) from fault
    return cursor


def _said(fault: Any, sql: str, dialect: Dialect) -> BaseException:
    """The driver's fault as one of ``sqlalchemy.exc``."""
    driver: Any = dialect.loaded_dbapi
    said: BaseException = DBAPIError.instance(
        sql, None, fault, driver.Error, hide_parameters=True, dialect=dialect
    )
    return said
