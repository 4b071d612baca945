"""The directive ``generated``: reference tables made from the code itself, so that they cannot be out of date."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import schemas
from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx import addnodes

from dbops import registry
from dbops.capabilities import Capability, supported
from dbops.model.finding import Remedy
from dbops.testing.matrix import DOCUMENTATION, cell, proofs

if TYPE_CHECKING:
    from sphinx.application import Sphinx

Cells = Sequence[str | nodes.Node]
Rows = tuple[Sequence[str], list[Cells]]


def capabilities() -> Rows:
    """A row for each capability, a column for each engine: what it answers, and how that was proved."""
    found = registry.backends()
    proved = proofs(Path(__file__).parents[2] / "tests")
    head = ["capability", *(backend.label for backend in found.values())]
    rows: list[Cells] = [
        [
            capability.value,
            *(
                cell(backend.support(capability, None), proved.get((name, capability.value), DOCUMENTATION))
                for name, backend in found.items()
            ),
        ]
        for capability in Capability
    ]
    return head, rows


def health() -> Rows:
    """Every check of every engine."""
    head = ["check", "engine", "what", "warning", "critical", "unit", "needs", "source of the thresholds", "what helps"]
    rows: list[Cells] = [
        [
            check.id,
            backend.label,
            check.title,
            _number(check.threshold.warning),
            _number(check.threshold.critical),
            check.unit,
            "; ".join(check.grants) or "no privilege",
            check.source,
            _remedy(check.remedy),
        ]
        for backend in registry.backends().values()
        if supported(backend.support(Capability.HEALTH, None))
        for check in backend.health.checks()
    ]
    return head, rows


def _remedy(remedy: Remedy) -> nodes.Node:
    """Its text, and a link to the page that explains it."""
    text = nodes.inline(text=remedy.text)
    if remedy.url:
        text += [nodes.Text(" "), nodes.reference("", "More.", refuri=remedy.url)]
    return text


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def audit() -> Rows:
    """Every rule of every engine."""
    from dbops.operations import access

    head = ["rule", "severity", "what"]
    rows = [
        [rule.id, rule.severity.value, rule.title] for name in registry.names() for rule in access.rules(name).rules
    ]
    return head, rows


def documents() -> Rows:
    """Every JSON document, and the file with its schema."""
    from dbops.report.schemas import DOCUMENTS

    head = ["schema", "printed by", "status", "file"]
    rows = [
        [name, one.command or "every command that fails", ", ".join(one.status), _download(name)]
        for name, one in DOCUMENTS.items()
    ]
    return head, rows


def saved() -> Rows:
    """Files that dbops writes and reads back, and their schemas."""
    from dbops.report.schemas import FILES

    return ["format", "file"], [[name, _download(name)] for name in FILES]


def _download(name: str) -> nodes.Node:
    file = schemas.file_name(name)
    return addnodes.download_reference("", "", nodes.literal(text=file), reftarget=f"schemas/{file}", refdomain="")


TABLES: dict[str, Callable[[], Rows]] = {
    "capabilities": capabilities,
    "health": health,
    "audit": audit,
    "documents": documents,
    "saved": saved,
}


class Generated(Directive):
    """``{generated} NAME``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        head, rows = TABLES[self.arguments[0]]()
        return [_table(head, rows)]


def _table(head: Sequence[str], rows: list[Cells]) -> nodes.table:
    group = nodes.tgroup(cols=len(head))
    group += [nodes.colspec(colwidth=1) for _ in head]
    group += nodes.thead("", _row(head))
    group += nodes.tbody("", *(_row(row) for row in rows))
    return nodes.table("", group)


def _row(cells: Cells) -> nodes.row:
    return nodes.row("", *(nodes.entry("", _paragraph(cell)) for cell in cells))


def _paragraph(cell: str | nodes.Node) -> nodes.paragraph:
    return nodes.paragraph(text=cell) if isinstance(cell, str) else nodes.paragraph("", "", cell)


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_directive("generated", Generated)
    return {"parallel_read_safe": True}
