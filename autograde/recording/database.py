"""Opening a gradebook: nbgrader's own database, SQLite or PostgreSQL, and its errors in words.

nbgrader's API opens the database nine times for each submission; here a run opens it once.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from nbgrader import api
from sqlalchemy import URL, Engine, create_engine, event, inspect, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import Session

from autograde.course import UserError

BUSY_SECONDS = 30  # how long to wait for another program that writes the same gradebook


class Database:
    """A gradebook, open. A context manager; one a run, in one thread.

    Parameters
    ----------
    db_url : ``sqlite:///path`` or ``postgresql://user@host/database``.
    course_id : nbgrader's course id.

    Raises
    ------
    UserError : on entering or later, if the database cannot be opened, read or written, or is no gradebook.
    """

    def __init__(self, db_url: str, course_id: str):
        self._url = _parsed(db_url)
        self._course = course_id
        self.shown = self._url.database if _is_sqlite(self._url) else self._url.render_as_string()
        self.book: api.Gradebook | None = None

    def __enter__(self) -> Database:
        with self.explained():
            self.book = _open(self._url, self._course, self.shown)
            if _is_sqlite(self._url):
                _tune_sqlite(self.book.engine)
        return self

    def __exit__(self, *exc_info) -> None:
        book, self.book = self.book, None
        if _is_sqlite(self._url):
            _leave_one_file(book.engine)
        book.close()

    @property
    def url(self) -> str:
        """The address with its password, for nbgrader's own steps."""
        return self._url.render_as_string(hide_password=False)

    @contextlib.contextmanager
    def session(self) -> Iterator[Session]:
        """One transaction: it is there whole, or not at all."""
        with self.explained(), Session(self.book.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextlib.contextmanager
    def explained(self) -> Iterator[None]:
        """Turn what a database says into a line a person can act on."""
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error, api.InvalidEntry) as error:
            reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            raise UserError(f"the gradebook {self.shown} cannot be used: {reason}{_advice(reason)}") from error


def _parsed(db_url: str) -> URL:
    try:
        url = make_url(db_url)
    except (ArgumentError, ValueError):
        raise UserError("--db must be sqlite:///FILE or postgresql://USER@HOST/DATABASE") from None
    if url.drivername in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg")  # the driver that is installed is psycopg 3
    return url


def _is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def _open(url: URL, course_id: str, shown: str) -> api.Gradebook:
    try:
        engine = create_engine(url)
    except (NoSuchModuleError, ImportError):
        raise UserError(f"there is no driver for a {url.drivername} gradebook; "
                        "use sqlite:///FILE or postgresql://...") from None
    try:
        tables = set(inspect(engine).get_table_names())
        _refuse_foreign(engine, tables, shown)
        if not tables:
            _make_tables(engine)
    finally:
        engine.dispose()
    return api.Gradebook(url.render_as_string(hide_password=False), course_id)


def _refuse_foreign(engine: Engine, tables: set[str], shown: str) -> None:
    """nbgrader would add its tables to any database it is pointed at; that is never meant."""
    if not tables:
        return
    if "alembic_version" not in tables or "grade" not in tables:
        raise UserError(f"{shown} is a database, but not an nbgrader gradebook")
    for table in api.Base.metadata.sorted_tables:
        if table.name in tables:
            columns = {column["name"] for column in inspect(engine).get_columns(table.name)}
            if not set(table.columns.keys()) <= columns:
                raise UserError(f"{shown} was made by an older nbgrader; back it up, then run: nbgrader db upgrade")


def _make_tables(engine: Engine) -> None:
    """A new gradebook: nbgrader's tables and the mark of their version, all or nothing.

    nbgrader itself commits the tables first, then asks the command `alembic` for the version: three seconds, and a
    gradebook that no later run accepts if this one is killed in between.
    """
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    migrations = ScriptDirectory(str(Path(api.__file__).parent / "alembic"))
    with engine.begin() as connection:
        if _is_sqlite(engine.url):
            connection.exec_driver_sql("BEGIN")  # the driver starts no transaction for a CREATE TABLE
        api.Base.metadata.create_all(connection)
        MigrationContext.configure(connection).stamp(migrations, "head")


def _tune_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def on_connect(connection, _record):
        # sqlite3 would begin a transaction at the first write only, after our reads; SQLAlchemy begins it instead.
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
        # Readers (the formgrader) go on while we write, and a commit costs one fsync. FULL: the journal says
        # "done" after the commit, which must be true after a power cut as well.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")

    @event.listens_for(engine, "begin")
    def on_begin(connection):
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    engine.dispose()  # connections opened so far know nothing of this


def _leave_one_file(engine: Engine) -> None:
    """Fold the write-ahead log into the database, so that copying gradebook.db copies everything."""
    # If another program has the gradebook open it stays in WAL mode, which every SQLite reads. If it cannot be
    # written at all, whoever tried has been told.
    with contextlib.suppress(sqlite3.OperationalError), contextlib.closing(engine.raw_connection()) as connection:
        connection.cursor().execute("PRAGMA journal_mode = DELETE")


def _advice(reason: str) -> str:
    known = {"locked": "; is another program writing to it?",
             "not a database": "; name another file with --db",
             "unable to open": "; does its folder exist, and may you write there?",
             "readonly": "; you may not write there",
             "read-only": "; you may not write there"}
    return next((advice for sign, advice in known.items() if sign in reason), "")
