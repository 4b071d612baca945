"""SELECT: a tree of T-SQL becomes a query of DuckDB and the columns it gives.

Only what is written down here is understood; every other clause is an error that names it.
"""

from __future__ import annotations

from sqlglot import exp

from tests.simulators.mssql import kinds, sources
from tests.simulators.mssql.answers import failed, unknown
from tests.simulators.mssql.casts import cast
from tests.simulators.mssql.for_json import as_json
from tests.simulators.mssql.frames import Frame, Typed
from tests.simulators.mssql.predicates import predicate
from tests.simulators.mssql.registry import Field
from tests.simulators.mssql.relations import duck_name
from tests.simulators.mssql.understood import understood
from tests.simulators.mssql.values import common, is_niladic, value

KNOWN_CLAUSES = {
    *("kind", "hint", "expressions", "from_", "joins", "laterals", "where", "group", "having", "order", "limit"),
    *("offset", "distinct", "with_", "options", "operation_modifiers", "fetch", "for_"),
}
Fields = tuple[Field, ...]


def query(node: exp.Expr, frame: Frame) -> tuple[str, Fields]:
    match node:
        case exp.Subquery() if not node.alias:
            return query(node.this, frame)
        case exp.Select():
            return _select(node, frame)
        case exp.SetOperation():
            return _set_operation(node, frame)
        case exp.Values():
            return values_rows(node, frame)
        case _:
            raise unknown(f"the query {node.sql('tsql')!r}")


def _select(node: exp.Select, frame: Frame) -> tuple[str, Fields]:
    _only_known(node)
    head = _with(node, frame)
    joined = sources.from_clause(node, frame)
    parts = [f"FROM {joined}"] if joined else []
    where = node.args.get("where")
    if where:
        parts.append(f"WHERE {predicate(where.this, frame)}")
    parts += _grouping(node, frame)
    items, fields = _items(node, frame)
    distinct = "DISTINCT " if node.args.get("distinct") else ""
    tail = [_order(node, frame, distinct=bool(distinct)), *_limits(node, frame)]
    frame.session.demand_read(frame.sources)
    sql = " ".join([*head, f"SELECT {distinct}{', '.join(items)}", *parts, *filter(None, tail)])
    clause = node.args.get("for_")
    return as_json(clause, sql, fields) if clause else (sql, fields)


def _only_known(node: exp.Expr) -> None:
    for name, found in node.args.items():
        if found and name not in KNOWN_CLAUSES:
            raise unknown(f"the clause {name.strip('_').upper()} of a query")


def _with(node: exp.Expr, frame: Frame) -> list[str]:
    clause = node.args.get("with_")
    if clause is None:
        return []
    written = []
    for one in clause.expressions:
        inner = frame.inner()
        names = [column.name for column in one.args["alias"].args.get("columns") or ()]
        sql, fields = _recursive(one, inner, names) if _mentions(one, one.alias) else query(one.this, inner)
        fields = renamed(fields, names, one.alias)
        frame.tables[one.alias] = fields
        listed = ", ".join(duck_name(field.name) for field in fields)
        written.append(f"{duck_name(one.alias)}({listed}) AS ({sql})")
    return [f"WITH RECURSIVE {', '.join(written)}"]


def _mentions(node: exp.CTE, name: str) -> bool:
    return any(not table.db and table.name.casefold() == name.casefold() for table in node.this.find_all(exp.Table))


def _recursive(node: exp.CTE, frame: Frame, names: list[str]) -> tuple[str, Fields]:
    if not isinstance(node.this, exp.Union):
        raise failed(
            252, f"Recursive common table expression '{node.alias}' does not contain a top-level UNION ALL operator."
        )
    if node.this.args.get("distinct"):
        raise failed(
            252, f"Recursive common table expression '{node.alias}' does not contain a top-level UNION ALL operator."
        )
    anchor, fields = query(node.this.left, frame.inner())
    again = frame.inner()
    again.tables[node.alias] = renamed(fields, names, node.alias)
    step, _ = query(node.this.right, again)
    return f"{anchor} UNION ALL {step}", fields


def renamed(fields: Fields, names: list[str], alias: str) -> Fields:
    if names and len(names) != len(fields):
        more = "fewer" if len(fields) > len(names) else "more"
        raise failed(
            8158 if more == "fewer" else 8159, f"'{alias}' has {more} columns than were specified in the column list."
        )
    found = tuple(
        Field(name, field.type, field.nullable)
        for name, field in zip(names or [one.name for one in fields], fields, strict=True)
    )
    for place, field in enumerate(found, 1):
        if not field.name:
            raise failed(8155, f"No column name was specified for column {place} of '{alias}'.")
        if field.name in [one.name for one in found[: place - 1]]:
            raise failed(8156, f"The column '{field.name}' was specified multiple times for '{alias}'.")
    return found


def _items(node: exp.Select, frame: Frame) -> tuple[list[str], Fields]:
    items: list[str] = []
    fields: list[Field] = []
    for one in node.expressions:
        if isinstance(one, exp.Star) or (isinstance(one, exp.Column) and isinstance(one.this, exp.Star)):
            for found, name in sources.star(one, frame):
                items.append(f"{found.sql} AS {duck_name(name)}")
                fields.append(Field(name, found.kind, found.nullable))
            continue
        found = value(one.this if isinstance(one, exp.Alias) else one, frame)
        name = one.alias if isinstance(one, exp.Alias) else _plain_name(one)
        if isinstance(one, exp.Alias):
            frame.outputs[name] = found
        items.append(f"{found.sql} AS {duck_name(name or f'?{len(items)}')}")
        fields.append(Field(name, found.kind, found.nullable))
    return items, tuple(fields)


def _plain_name(node: exp.Expr) -> str:
    found = node.this if isinstance(node, exp.Paren) else node
    if not isinstance(found, exp.Column) or is_niladic(found):
        return ""
    return found.name


def _grouping(node: exp.Select, frame: Frame) -> list[str]:
    parts = []
    group = node.args.get("group")
    if group:
        others = [name for name, found in group.args.items() if found and name != "expressions"]
        if others:
            raise unknown(f"GROUP BY {others[0]}")
        parts.append(f"GROUP BY {', '.join(value(one, frame).sql for one in group.expressions)}")
    having = node.args.get("having")
    if having:
        parts.append(f"HAVING {predicate(having.this, frame)}")
    return parts


def ordering(node: exp.Expr, frame: Frame) -> str:
    """NULL is the lowest value in T-SQL, whichever the direction."""
    parts = []
    for one in node.expressions:
        understood(one)
        found = _order_key(one.this, frame)
        parts.append(f"{found} {'DESC NULLS LAST' if one.args.get('desc') else 'ASC NULLS FIRST'}")
    return f"ORDER BY {', '.join(parts)}"


def _order_key(node: exp.Expr, frame: Frame) -> str:
    if isinstance(node, exp.Literal) and not node.is_string:
        return str(node.this)
    if isinstance(node, exp.Column) and not node.table:
        for name, found in frame.outputs.items():
            if frame.same(name, node.name):
                return found.sql
    return value(node, frame).sql


def _order(node: exp.Select, frame: Frame, *, distinct: bool) -> str:
    order = node.args.get("order")
    if order is None:
        return ""
    if node.parent is not None and not (node.args.get("limit") or node.args.get("offset")):
        raise failed(
            1033,
            "The ORDER BY clause is invalid in views, inline functions, derived tables, subqueries, and common table "
            "expressions, unless TOP, OFFSET or FOR XML is also specified.",
            severity=15,
        )
    written = ordering(order, frame)
    if distinct:
        chosen = {value(one.this if isinstance(one, exp.Alias) else one, frame).sql for one in node.expressions}
        if any(_order_key(one.this, frame) not in chosen for one in order.expressions):
            raise failed(
                145, "ORDER BY items must appear in the select list if SELECT DISTINCT is specified.", severity=15
            )
    return written


def _limits(node: exp.Expr, frame: Frame) -> list[str]:
    parts = []
    limit = node.args.get("limit")
    if limit is not None:
        count = limit.args.get("count") if isinstance(limit, exp.Fetch) else limit.expression
        options = limit.args.get("limit_options")
        if options is not None and (options.args.get("percent") or options.args.get("with_ties")):
            raise unknown("TOP with PERCENT or TIES")
        if isinstance(limit, exp.Limit) and limit.args.get("offset"):
            raise failed(102, "Incorrect syntax near 'LIMIT'.", severity=15)
        assert count is not None
        parts.append(f"LIMIT {cast(value(count, frame), 'bigint').sql}")
    offset = node.args.get("offset")
    if offset is not None:
        parts.append(f"OFFSET {cast(value(offset.expression, frame), 'bigint').sql}")
    return parts


def _set_operation(node: exp.SetOperation, frame: Frame) -> tuple[str, Fields]:
    understood(node)
    head = _with(node, frame)
    left, right = frame.inner(), frame.inner()
    one, fields = query(node.left, left)
    other, others = query(node.right, right)
    if len(fields) != len(others):
        raise failed(
            205,
            "All queries combined using a UNION, INTERSECT or EXCEPT operator must have an equal number of expressions "
            "in their target lists.",
        )
    shared = tuple(_shared(*pair) for pair in zip(fields, others, strict=True))
    word = {exp.Union: "UNION", exp.Except: "EXCEPT", exp.Intersect: "INTERSECT"}[type(node)]
    every = " ALL" if isinstance(node, exp.Union) and not node.args.get("distinct") else ""
    sql = f"{_as(one, fields, shared)} {word}{every} {_as(other, others, shared)}"
    for field in shared:
        frame.outputs[field.name] = Typed(duck_name(field.name), field.type)
    order = node.args.get("order")
    tail = [ordering(order, frame)] if order is not None else []
    if tail:
        sql = f"SELECT * FROM ({sql}) AS u"
    return " ".join([*head, sql, *tail, *_limits(node, frame)]), shared


def _shared(one: Field, other: Field) -> Field:
    return Field(one.name, common([Typed("?", one.type), Typed("?", other.type)]), one.nullable or other.nullable)


def _as(sql: str, fields: Fields, wanted: Fields) -> str:
    names = [f'"u{place}"' for place in range(len(fields))]
    items = [
        f"{cast(Typed(name, field.type), target.type).sql} AS {duck_name(target.name or f'?{place}')}"
        for place, (name, field, target) in enumerate(zip(names, fields, wanted, strict=True))
    ]
    return f"(SELECT {', '.join(items)} FROM ({sql}) AS s({', '.join(names)}))"


def values_rows(node: exp.Values, frame: Frame) -> tuple[str, Fields]:
    """``(VALUES (1, 'a'), (2, 'b')) AS v (id, name)``: each column in the type that all rows share."""
    rows = [[value(one, frame) for one in row.expressions] for row in node.expressions]
    if len({len(row) for row in rows}) != 1:
        raise failed(10709, "The number of columns for each row in a table value constructor must be the same.")
    found = [common([row[place] for row in rows]) for place in range(len(rows[0]))]
    listed = [", ".join(cast(one, kind).sql for one, kind in zip(row, found, strict=True)) for row in rows]
    return f"VALUES ({'), ('.join(listed)})", tuple(Field("", kind, True) for kind in found)


def answer_kind(field: Field, kind: str) -> str:
    """A NULL without a type leaves as int, everything else as what it was found to be."""
    return kind if field.type == "?" else kinds.base(field.type) and field.type
