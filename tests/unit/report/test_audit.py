"""What an audit says to people."""

from __future__ import annotations

from dbops.model.audit import Explanation
from dbops.report.audit import explanation


def test_every_line_of_a_revoke_is_indented() -> None:
    found = Explanation(
        principal="ann", action="SELECT", object="table:a.b.c", allowed=True, usable=True,
        minimal_revoke=("USE [a];\nREVOKE SELECT ON [b].[c] FROM [ann];",),
    )  # fmt: skip
    assert explanation(found).splitlines()[1:] == [
        "  to take it away:",
        "    USE [a];",
        "    REVOKE SELECT ON [b].[c] FROM [ann];",
    ]
