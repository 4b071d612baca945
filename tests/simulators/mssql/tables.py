"""Tables and views of users, and what INSERT, UPDATE and DELETE do to the rows that the model keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulators.mssql import relations
from tests.simulators.mssql.dialect import parsed
from tests.simulators.mssql.frames import Frame
from tests.simulators.mssql.model import Database, Object
from tests.simulators.mssql.queries import query
from tests.simulators.mssql.registry import Field
from tests.simulators.mssql.relations import Relation

if TYPE_CHECKING:
    from tests.simulators.mssql.session import Session


def read_view(session: Session, database: Database, found: Object) -> Relation:
    """A view runs in its own database; an unbroken ownership chain asks for no rights on what it reads."""
    before, session.database_id = session.database_id, database.database_id
    checks, session.checks_rights = session.checks_rights, False
    words, session.words = session.words, None
    try:
        assert found.definition is not None
        sql, fields = query(parsed(found.definition), Frame(session, {}))
        rows = session.instance.duck.execute(sql).fetchall()
    finally:
        session.database_id, session.checks_rights, session.words = before, checks, words
    named = tuple(
        Field(column.name, field.type, field.nullable) for column, field in zip(found.columns, fields, strict=True)
    )
    return relations.table(session, named, [[row[place] for row in rows] for place in range(len(named))])
