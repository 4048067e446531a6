"""The one importer of Flask-SQLAlchemy, and the one place where a request commits."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from lti_tool.errors import Conflict
from lti_tool.support.db import Base, engine_options, is_lost_race, prepare_engine, serve, wall_between_institutions


class RaceLost(Conflict):
    """Somebody else changed the same thing at the same moment, so this transaction was undone. Its cause says more."""


db = SQLAlchemy(metadata=Base.metadata, session_options={"expire_on_commit": False})
wall_between_institutions(db.session)


def connect_database(app: Flask, url: str) -> Engine:
    """Let the app's requests use the database at this URL. Returns its engine."""
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(url)
    db.init_app(app)
    with app.app_context():
        return prepare_engine(db.engine)


@contextmanager
def transaction(*, reading: bool = False) -> Iterator[Session]:
    """The request's transaction: commits when the block ends well, rolls back when it does not.

    Raises RaceLost in place of the many ways in which the database says that another transaction was quicker.
    `reading` promises that nothing but a visit's last-seen time is written, so that on SQLite readers do not queue for
    the write lock. A request has one transaction at a time; raises RuntimeError inside another, whose session it would
    close.
    """
    if db.session.registry.has():
        raise RuntimeError("a transaction of this request is open")
    session: Session = db.session()
    try:
        if reading:
            session.connection(execution_options={"sqlite_begin": "DEFERRED"})
        yield session
        session.commit()
    except BaseException as error:
        session.rollback()
        if is_lost_race(error):
            raise RaceLost(type(error).__name__) from error
        raise
    finally:
        db.session.remove()


@contextmanager
def open_session(institution_id: int | None = None) -> Iterator[Session]:
    """A transaction of the request as `Kit.open_session` has it, for services that open their own."""
    with transaction() as session:
        yield session if institution_id is None else serve(session, institution_id)
