"""The capability matrix: what each engine offers, and how that was proved.

A test says what it proves by a marker, ``@pytest.mark.proves("postgresql", "backup.logical", by="a simulator")``;
without ``by`` it is proved against a real server. What no test proves rests on documentation only, and the matrix says
so.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from dbops.capabilities import Capability, Impossible, NotImplementedYet, Since, Support
from dbops.spi import Backend

__all__ = ["DOCUMENTATION", "SERVER", "Proofs", "capability_matrix", "cell", "proofs"]

SERVER = "a real server"
DOCUMENTATION = "documentation only"
Proofs = Mapping[tuple[str, str], str]
"""``(engine, capability) -> how``."""


def proofs(tests: Path) -> Proofs:
    """What the tests below a directory say that they prove; their code is read, not run."""
    found: dict[tuple[str, str], str] = {}
    for path in sorted(tests.rglob("*.py")):
        for engine, capabilities, how in _marks(ast.parse(path.read_text(encoding="utf-8"))):
            for capability in capabilities:
                known = found.get((engine, capability))
                found[engine, capability] = SERVER if SERVER in (known, how) else how
    return found


def _marks(tree: ast.AST) -> Iterator[tuple[str, list[str], str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "proves":
            engine, *capabilities = [str(ast.literal_eval(one)) for one in node.args]
            by = [str(ast.literal_eval(one.value)) for one in node.keywords if one.arg == "by"]
            yield engine, capabilities, by[0] if by else SERVER


def cell(support: Support, how: str) -> str:
    """One answer in words."""
    if isinstance(support, NotImplementedYet):
        return f"not implemented: {support.reason}"
    if isinstance(support, Impossible):
        return f"impossible: {support.reason}"
    since = f"since {support.version}" if isinstance(support, Since) else "supported"
    return f"{since}; proved against {how}" if how != DOCUMENTATION else f"{since}; {how}"


def capability_matrix(backends: Mapping[str, Backend], known: Proofs) -> str:
    """A Markdown table: a row for each capability, a column for each engine."""
    lines = [["capability", *(backend.label for backend in backends.values())], ["---"] * (len(backends) + 1)]
    for capability in Capability:
        cells = [
            cell(backend.support(capability, None), known.get((name, capability.value), DOCUMENTATION))
            for name, backend in backends.items()
        ]
        lines.append([capability.value, *(text.replace("|", "\\|") for text in cells)])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
