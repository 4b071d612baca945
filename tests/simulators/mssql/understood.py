"""What a node of sqlglot's tree may carry: a part that nobody here reads would silently change what a query means.

Versions of the parser differ: ``NOT LIKE`` is a mark on the node in one of them and a node of its own in another.
"""

from __future__ import annotations

from sqlglot import exp

from tests.simulators.mssql.answers import unknown

_TYPED = frozenset({"_type"})
PARTS: dict[type[exp.Expr], frozenset[str]] = {
    exp.Anonymous: frozenset({"this", "expressions"}),
    exp.AtTimeZone: frozenset({"this", "zone"}),
    exp.Between: frozenset({"this", "low", "high"}),
    exp.Case: frozenset({"this", "ifs", "default"}),
    exp.Cast: frozenset({"this", "to"}),
    exp.Column: frozenset({"this", "table", "db", "catalog"}),
    exp.Convert: frozenset({"this", "expression", "style", "safe"}),
    exp.Div: frozenset({"this", "expression", "typed", "safe"}),
    exp.Except: frozenset({"this", "expression", "distinct", "with_", "order", "limit", "offset"}),
    exp.In: frozenset({"this", "expressions", "query"}),
    exp.Intersect: frozenset({"this", "expression", "distinct", "with_", "order", "limit", "offset"}),
    exp.Join: frozenset({"this", "on", "side", "kind", "using", "method"}),
    exp.Like: frozenset({"this", "expression", "negate"}),
    exp.Literal: frozenset({"this", "is_string"}),
    exp.Ordered: frozenset({"this", "desc", "nulls_first"}),
    exp.Subquery: frozenset({"this", "alias", "joins"}),
    exp.TryCast: frozenset({"this", "to", "requires_string"}),
    exp.Union: frozenset({"this", "expression", "distinct", "with_", "order", "limit", "offset"}),
    exp.Window: frozenset({"this", "partition_by", "order", "spec", "over"}),
    exp.WithinGroup: frozenset({"this", "expression"}),
}
PLAIN = frozenset({"this", "expression"})
"""The parts of every other node: operators and names."""


def understood(node: exp.Expr) -> None:
    """Raises where a node carries a part that the translation leaves out."""
    known = PARTS.get(type(node), PLAIN) | _TYPED
    more = sorted(name for name, found in node.args.items() if found and name not in known)
    if more:
        raise unknown(f"{', '.join(more)} of {type(node).__name__} in {node.sql('tsql')!r}")
