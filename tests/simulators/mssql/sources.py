"""FROM: tables, derived tables, joins, APPLY and functions that give rows."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from tests.simulators.mssql import relations
from tests.simulators.mssql.answers import failed, unknown
from tests.simulators.mssql.casts import cast
from tests.simulators.mssql.frames import Frame, Source, Typed
from tests.simulators.mssql.predicates import compare, predicate
from tests.simulators.mssql.registry import TABLE_FUNCTIONS, Field
from tests.simulators.mssql.relations import Relation, duck_name
from tests.simulators.mssql.understood import understood
from tests.simulators.mssql.values import value


def from_clause(node: exp.Select, frame: Frame) -> str:
    start = node.args.get("from_")
    if start is None:
        return ""
    written = _source(start.this, frame)
    joins = [*(start.this.args.get("joins") or ()), *(node.args.get("joins") or ())]
    for join in joins:
        written += _join(join, frame)
    if node.args.get("laterals"):
        raise unknown("LATERAL")
    return written


def _join(node: exp.Join, frame: Frame) -> str:
    understood(node)
    if node.args.get("using") or node.args.get("method") == "NATURAL":
        raise failed(102, "Incorrect syntax near 'USING'.", severity=15)
    inner = node.this
    if isinstance(inner, exp.Lateral):
        word = "CROSS JOIN LATERAL" if inner.args.get("cross_apply") else "LEFT JOIN LATERAL"
        return f" {word} {_source(inner, frame)}" + ("" if inner.args.get("cross_apply") else " ON TRUE")
    right = _source(inner, frame)
    for nested in inner.args.get("joins") or ():
        right += _join(nested, frame)
    on = node.args.get("on")
    side, kind = (node.args.get("side") or "").upper(), (node.args.get("kind") or "").upper()
    if kind == "CROSS" or (on is None and not side and not kind):
        return f" CROSS JOIN {right}"
    if on is None:
        raise failed(102, "Incorrect syntax near 'JOIN'.", severity=15)
    return f" {side or 'INNER'} JOIN {right} ON {predicate(on, frame)}"


def _source(node: exp.Expr, frame: Frame) -> str:
    match node:
        case exp.Table():
            return _table(node, frame)
        case exp.Subquery():
            return _derived(node, frame)
        case exp.Values():
            return _values(node, frame)
        case exp.Lateral():
            return _applied(node, frame)
        case exp.Paren():
            return f"({_source(node.this, frame)})"
        case _:
            raise unknown(f"the source {node.sql('tsql')!r} of a FROM clause")


def _table(node: exp.Table, frame: Frame) -> str:
    _only_hints(node)
    if isinstance(node.this, exp.Anonymous):
        return _function(node.this, node.text("db"), node, frame)
    parts = tuple(part for part in (node.text("catalog"), node.text("db"), node.name))
    while parts and not parts[0]:
        parts = parts[1:]
    alias = node.alias or node.name
    known = frame.find_table(parts[0]) if len(parts) == 1 else None
    if known:
        name, fields = known
        frame.add(Source(alias, fields))
        return f"{duck_name(name)} AS {duck_name(alias)}"
    found = relations.relation(frame.session, parts)
    frame.add(Source(alias, found.fields, target=found.target))
    return f"{found.alias} AS {duck_name(alias)}"


def _only_hints(node: exp.Table) -> None:
    for name, found in node.args.items():
        if found and name not in {"this", "db", "catalog", "alias", "hints", "joins"}:
            raise unknown(f"{name.strip('_').upper()} of a table")


def _derived(node: exp.Subquery, frame: Frame, *, named: exp.Expr | None = None) -> str:
    """``named`` is the APPLY whose alias it has, and which lets it see what stands to the left."""
    from tests.simulators.mssql.queries import query, renamed

    carrier = named or node
    if not carrier.alias:
        raise failed(102, "Incorrect syntax near ')'.", severity=15)
    inner = frame.inner()
    if named is None:
        inner.parent = frame.parent
    sql, fields = query(node.this, inner)
    return _aliased(sql, fields, carrier, frame, renamed)


def _values(node: exp.Values, frame: Frame) -> str:
    from tests.simulators.mssql.queries import renamed, values_rows

    sql, fields = values_rows(node, frame)
    return _aliased(sql, fields, node, frame, renamed)


def _aliased(sql: str, fields: tuple[Field, ...], node: exp.Expr, frame: Frame, renamed: object) -> str:
    assert callable(renamed)
    alias = node.args["alias"]
    names = [column.name for column in alias.args.get("columns") or ()]
    found = renamed(fields, names, node.alias)
    frame.add(Source(node.alias, found))
    return f"({sql}) AS {duck_name(node.alias)}({', '.join(duck_name(one.name) for one in found)})"


def _applied(node: exp.Lateral, frame: Frame) -> str:
    inner = node.this
    if isinstance(inner, exp.Subquery):
        return _derived(inner, frame, named=node)
    if isinstance(inner, exp.Dot) and isinstance(inner.expression, exp.Anonymous):
        return _function(inner.expression, inner.this.sql("tsql"), node, frame)
    if isinstance(inner, exp.Anonymous):
        return _function(inner, "", node, frame)
    raise unknown(f"APPLY of {inner.sql('tsql')!r}")


def _function(call: exp.Anonymous, schema: str, node: exp.Expr, frame: Frame) -> str:
    name = f"{schema}.{call.name}".strip(".").replace("[", "").replace("]", "").removeprefix("master.")
    alias = node.alias or call.name
    arguments = [None if _is_default(one) else value(one, frame) for one in call.expressions]
    declared = TABLE_FUNCTIONS.get(name.lower())
    if declared is not None and declared.keys:
        found = relations.function_rows(frame.session, name, None)
        frame.add(Source(alias, found.fields))
        return f"{_keyed(found, arguments, declared.keys)} AS {duck_name(alias)}"
    constants = [frame.session.constant(one) if one else None for one in arguments]
    found = relations.function_rows(frame.session, name, constants)
    frame.add(Source(alias, found.fields))
    return f"{found.alias} AS {duck_name(alias)}"


def _keyed(found: Relation, arguments: list[Typed | None], keys: tuple[str, ...]) -> str:
    tests = []
    for number, (kind, argument) in enumerate(zip(keys, arguments, strict=True), 1):
        if argument is None or argument.sql == "NULL":
            continue
        given = cast(argument, kind)
        tests.append(f"({given.sql} IS NULL OR {compare('=', Typed(f'k._{number}', kind), given)})")
    where = f" WHERE {' AND '.join(tests)}" if tests else ""
    return f"(SELECT * FROM {found.alias} AS k{where})"


def _is_default(node: exp.Expr) -> bool:
    return isinstance(node, exp.Column) and not node.table and node.name.upper() == "DEFAULT"


def star(node: exp.Expr, frame: Frame) -> Iterator[tuple[Typed, str]]:
    qualifier = node.text("table") if isinstance(node, exp.Column) else ""
    chosen = [one for one in frame.sources if not qualifier or frame.same(one.alias, qualifier)]
    if not chosen:
        if qualifier:
            raise failed(
                107,
                f"The column prefix '{qualifier}' does not match with a table name or alias name used in the query.",
                severity=15,
            )
        raise failed(263, "Must specify table to select from.")
    for source in chosen:
        for one in source.fields:
            source.used.add(one.name)
            yield Typed(f"{duck_name(source.alias)}.{duck_name(one.name)}", one.type, one.nullable), one.name
