"""``sp_configure`` and RECONFIGURE: a value is configured first and in use afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tests.simulators.mssql import rights
from tests.simulators.mssql.answers import Answer, Column, Done, Message, Rows, failed
from tests.simulators.mssql.catalog.configurations import OPTIONS
from tests.simulators.mssql.lexer import Cursor
from tests.simulators.mssql.refusals import no_permission
from tests.simulators.mssql.registry import statement
from tests.simulators.mssql.statements.procedures import Arguments, bound, procedure

if TYPE_CHECKING:
    from tests.simulators.mssql.session import Session

ANSWERED = (
    Column("name", "nvarchar(35)"),
    *(Column(name, "int") for name in ("minimum", "maximum", "config_value", "run_value")),
)


@procedure("sp_configure")
def sp_configure(session: Session, arguments: Arguments) -> Iterator[Answer]:
    given = bound(arguments, "@configname", "@configvalue")
    shown = bool(session.instance.state.configurations.get("show advanced options"))
    known = {name: one for name, one in OPTIONS.items() if shown or not one[5]}
    wanted = given.get("@configname")
    if wanted is not None:
        known = {name: one for name, one in known.items() if session.same(name, str(wanted))}
    if not known:
        raise failed(15123, f"The configuration option '{wanted}' does not exist, or it may be an advanced option.")
    if "@configvalue" in given:
        yield from _configure(session, next(iter(known)), given["@configvalue"])
        return
    rows: list[tuple[object, ...]] = [(name, *_values(session, name)) for name in sorted(known)]
    yield Rows(ANSWERED, rows)
    yield Done(len(rows))


def _values(session: Session, name: str) -> tuple[int, ...]:
    _, usual, least, most, *_ = OPTIONS[name]
    running = session.instance.state.configurations.get(name, usual)
    return least, most, session.instance.state.pending.get(name, running), running


def _configure(session: Session, name: str, value: object) -> Iterator[Answer]:
    if not rights.has_server(session, "ALTER SETTINGS"):
        raise no_permission()
    session.instance.changing(session)
    least, most, before, _ = _values(session, name)
    if not isinstance(value, int) or not least <= value <= most:
        raise failed(15129, f"'{value}' is not a valid value for configuration option '{name}'.")
    session.instance.state.pending[name] = value
    yield Message(
        15457,
        1,
        0,
        f"Configuration option '{name}' changed from {before} to {value}. Run the RECONFIGURE statement to install.",
    )
    yield Done()


@statement("RECONFIGURE")
@statement("RECONFIGURE WITH OVERRIDE")
def reconfigure(session: Session, cursor: Cursor) -> Iterator[Answer]:
    del cursor
    if not rights.has_server(session, "ALTER SETTINGS"):
        raise no_permission()
    session.instance.changing(session)
    state = session.instance.state
    now = {name: value for name, value in state.pending.items() if OPTIONS[name][4]}
    state.configurations.update(now)
    for name in now:
        del state.pending[name]
    yield Done()
