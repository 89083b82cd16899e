"""A table of a database, written by SQLAlchemy, or by DuckDB itself.

All rows go in one transaction: a run that fails or is stopped leaves the database as it was (where
CREATE TABLE can be undone, as in SQLite, DuckDB and PostgreSQL).
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa

from synthvae.errors import TableError, UsageError
from synthvae.outputs.formats import FORMATS, Format
from synthvae.outputs.record import Written, beside
from synthvae.outputs.staging import Source

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+_.-]*://")
_DUCKDB = "duckdb:///"


def is_url(output: str) -> bool:
    """Whether `output` names a database."""
    return _URL.match(output) is not None


def place_in(url: str, table: str | None, format: str | None, per_file: int | None) -> Database:
    """The table called `table` of the database at `url`. UsageError for what makes no sense."""
    if table is None:
        raise UsageError(
            f"rows of a database stand in a table, but '{hidden(url)}' is given without one; "
            "name it with --table"
        )
    if format is not None or per_file is not None:
        raise UsageError(
            "a database has no format and no parts, but --format or --rows-per-file is given; "
            "leave them out"
        )
    return Database(url, table)


@dataclass(frozen=True)
class Database:
    """The table `table` of the database at `url`; `force`: one that exists is replaced."""

    url: str
    table: str
    path: None = None

    @property
    def form(self) -> Format:
        """Rows are typed, as in Parquet."""
        return FORMATS["parquet"]

    @property
    def manifest(self) -> Path | None:
        """Of a database in a file, that of this table beside it."""
        file = _file_of(self.url)
        return file and beside(file.with_name(f"{file.name}.{self.table}"))

    @property
    def words(self) -> str:
        """The output, without any user or password."""
        return f"table '{self.table}' of {hidden(self.url)}"

    def refuse(self, force: bool) -> None:
        """UsageError if the table exists and may not be replaced, TableError if there is no
        database to be had."""
        file = _file_of(self.url)
        if file is not None and not file.exists():
            _module("duckdb" if self.url.startswith(_DUCKDB) else "sqlalchemy")
            if not file.parent.is_dir():
                raise UsageError(
                    f"an output goes into an existing folder, but '{file.parent}' is none; create "
                    "it first"
                )
            return
        with self._opened() as database:
            if database.has(self.table) and not force:
                raise UsageError(
                    f"outputs are never overwritten unasked, but {self.words} exists; "
                    "pass --force or choose another name"
                )

    def describe(self) -> dict[str, Any]:
        return {"kind": "database", "dialect": self.url.partition(":")[0], "table": self.table}

    def write(
        self, source: Source, schema: pa.Schema, rows: int, run: Mapping[str, Any], resume: bool
    ) -> list[Written]:
        with self._opened() as database:
            database.fill(self.table, source(0), schema)
        return []

    @contextmanager
    def _opened(self) -> Iterator[_Duckdb | _Sqlalchemy]:
        """The database; one that was not there before is not there after a failure."""
        file = _file_of(self.url)
        new = file is not None and not file.exists()
        if self.url.startswith(_DUCKDB):
            database: _Duckdb | _Sqlalchemy = _Duckdb(self.url.removeprefix(_DUCKDB))
        else:
            database = _Sqlalchemy(self.url)
        try:
            yield database
        except BaseException as error:
            database.close()
            if new and file is not None:
                file.unlink(missing_ok=True)
            if isinstance(error, database.errors):
                raise _refused(self.url, error) from error
            raise
        database.close()


_VIEW = "rows_of_synthvae"  # under which DuckDB sees a chunk


class _Duckdb:
    """DuckDB takes Arrow tables as they are."""

    def __init__(self, path: str) -> None:
        duckdb: Any = _module("duckdb")
        self.errors = duckdb.Error
        try:
            self.connection = duckdb.connect(path)
        except self.errors as error:
            raise _unreachable(f"{_DUCKDB}{path}", error) from error

    def has(self, table: str) -> bool:
        query = "SELECT count(*) FROM information_schema.tables WHERE lower(table_name) = ?"
        return bool(self.connection.execute(query, [table.lower()]).fetchone()[0])

    def fill(self, table: str, chunks: Iterator[pa.Table], schema: pa.Schema) -> None:
        name, at = '"' + table.replace('"', '""') + '"', self.connection
        plain = _plain(schema)
        at.execute("BEGIN")
        at.register(_VIEW, plain.empty_table())
        at.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM {_VIEW}")
        for chunk in chunks:
            at.unregister(_VIEW)
            at.register(_VIEW, chunk.cast(plain))
            at.execute(f"INSERT INTO {name} SELECT * FROM {_VIEW}")
        at.execute("COMMIT")

    def close(self) -> None:
        self.connection.close()


class _Sqlalchemy:
    """Any other database that SQLAlchemy has a driver for."""

    def __init__(self, url: str) -> None:
        self.alchemy: Any = _module("sqlalchemy")
        self.errors = self.alchemy.exc.SQLAlchemyError
        try:
            self.engine = self.alchemy.create_engine(url)
            if self.engine.dialect.name == "sqlite":
                self._begin_at_once()
            self.inspector = self.alchemy.inspect(self.engine)
        except (self.errors, ImportError) as error:
            raise _unreachable(url, error) from error

    def has(self, table: str) -> bool:
        return bool(self.inspector.has_table(table))

    def fill(self, table: str, chunks: Iterator[pa.Table], schema: pa.Schema) -> None:
        plain = _plain(schema)
        columns = [self.alchemy.Column(field.name, self._type(field.type)) for field in plain]
        made = self.alchemy.Table(table, self.alchemy.MetaData(), *columns)
        with self.engine.begin() as connection:
            made.drop(connection, checkfirst=True)
            made.create(connection)
            for chunk in chunks:
                connection.execute(made.insert(), chunk.cast(plain).to_pylist())

    def _begin_at_once(self) -> None:
        """SQLite's driver begins a transaction at the first INSERT: a DROP before it would stay."""
        listen = self.alchemy.event.listen
        listen(self.engine, "connect", lambda raw, _: setattr(raw, "isolation_level", None))
        listen(self.engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))

    def _type(self, kind: pa.DataType) -> Any:
        types, known = self.alchemy.types, pa.types
        if known.is_boolean(kind):
            return types.Boolean()
        if known.is_integer(kind):
            return types.BigInteger()
        if known.is_floating(kind):
            return types.Double()
        if known.is_decimal(kind):
            return types.Numeric(kind.precision, kind.scale)
        if known.is_date(kind):
            return types.Date()
        if known.is_timestamp(kind):
            return types.DateTime(timezone=kind.tz is not None)
        return types.Text()

    def close(self) -> None:
        self.engine.dispose()


def _plain(schema: pa.Schema) -> pa.Schema:
    """No dictionaries; moments with a zone in UTC, for databases that keep no zone."""
    return pa.schema([field.with_type(_plain_type(field.type)) for field in schema])


def _plain_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_timestamp(kind) and kind.tz:
        return pa.timestamp(kind.unit, "UTC")
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def hidden(url: str) -> str:
    """Scheme, host and database of `url`: user, password and options are nobody's business."""
    scheme, _, rest = url.partition("://")
    place, _, options = rest.partition("?")
    if "@" in options:  # of a password with a '?', perhaps: where it ends can't be told
        place = "***"
    return f"{scheme}://{re.split('[;#]', place.rpartition('@')[2])[0]}"


def _told(error: Exception, url: str) -> str:
    """The first line of `error`, without what is hidden of `url`."""
    text = str(error).partition("\n")[0] or type(error).__name__
    rest = url.partition("://")[2]
    for secret in {rest, *re.findall(r"[=:]([^&;@]+)", rest)}:
        if secret not in hidden(url):
            text = text.replace(secret, "***").replace(unquote(secret), "***")
    return text


def _file_of(url: str) -> Path | None:
    """The file of a database in one file."""
    found = re.match(r"(?:sqlite|duckdb)(?:\+\w+)?:///([^?:]+)", url)
    return Path(found[1]) if found else None


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise UsageError(
            f"a database is written by {name}, but it is not installed; pip install 'synthvae[sql]'"
        ) from error


def _unreachable(url: str, error: Exception) -> TableError:
    return TableError(
        f"an output is a database that can be reached, but '{hidden(url)}' can't be: "
        f"{_told(error, url)}; check the URL, and that its driver is installed"
    )


def _refused(url: str, error: Exception) -> TableError:
    return TableError(
        f"rows go into a table of a database, but '{hidden(url)}' takes none: "
        f"{_told(error, url)}; check that it is a database, and what you may do there"
    )
