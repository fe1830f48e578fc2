"""Statements of the hottest paths, a launch and a page's visit: compiled once, then handed
straight to the driver.

A statement costs SQLAlchemy some 25 µs to prepare, send and read, and SQLite 5. A launch has
nine of them, which made a third of its cost. Everything else goes through a session as usual.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Dialect, Engine, Insert, Select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

Processor = Callable[[Any], Any]


@dataclass(frozen=True)
class _Prepared:
    sql: str
    binds: Sequence[tuple[str, Processor | None]]
    is_positional: bool
    row: Any
    columns: Sequence[tuple[int, Processor]]
    """The places of those that are not used as the driver gives them."""
    dialect: Dialect


class Hot:
    """A SELECT with ``bindparam``s, or an INSERT of the columns named: asked with their values.

    Rows are named tuples. Faults are those of ``sqlalchemy.exc``.
    """

    def __init__(self, statement: Select[Any] | Insert, *columns: str) -> None:
        self._statement: Final = statement
        self._columns: Final = columns
        self._prepared: Final[dict[str, _Prepared]] = {}

    def run(self, connection: Connection, values: Mapping[str, Any]) -> None:
        """Write, in the connection's transaction."""
        prepared = self._prepare(connection.dialect)
        _execute(connection.connection.cursor(), prepared, values).close()

    def one(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """The one row there can be, or nothing, within the connection's transaction."""
        return self._one(connection.connection, connection.dialect, values)

    def look_up(self, engine: Engine, values: Mapping[str, Any]) -> Any:
        """As ``one``, with no transaction around it."""
        driver: Any = engine.dialect.loaded_dbapi
        try:
            connection = engine.raw_connection()
        except driver.Error as fault:
            raise _said(fault, "", engine.dialect) from fault
        try:
            return self._one(connection, engine.dialect, values)
        finally:
            connection.close()

    def _one(self, connection: Any, dialect: Dialect, values: Mapping[str, Any]) -> Any:
        prepared = self._prepare(dialect)
        cursor = _execute(connection.cursor(), prepared, values)
        found = cursor.fetchone()
        cursor.close()
        if found is None:
            return None
        row = list(found)
        for place, read in prepared.columns:
            if row[place] is not None:
                row[place] = read(row[place])
        return prepared.row._make(row)

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


def _execute(cursor: Any, prepared: _Prepared, values: Mapping[str, Any]) -> Any:
    given = [
        (name, write(values[name]) if write and values[name] is not None else values[name])
        for name, write in prepared.binds
    ]
    parameters = [value for _name, value in given] if prepared.is_positional else dict(given)
    driver: Any = prepared.dialect.loaded_dbapi
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
