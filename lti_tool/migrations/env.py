"""How Alembic finds the database and the models. Run through `lti-tool migrate`, which passes the connection."""

from importlib import import_module
from pathlib import Path

from alembic import context
from sqlalchemy import Connection

from lti_tool.support.db import Base

for models in sorted(Path(__file__).parent.parent.glob("*/models*")):
    import_module(f"lti_tool.{models.parent.name}.models")
for tables in ("web.visits", "web.audit", "web.kept"):
    import_module(f"lti_tool.{tables}")


def run(connection: Connection) -> None:
    # SQLite cannot alter most of a table in place, so Alembic copies it there ("batch").
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
