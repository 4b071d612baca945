"""The doctor's lines for people."""

from __future__ import annotations

from itertools import groupby

from dbops.model.doctor import Diagnosis, Standing, Symptom

__all__ = ["text"]

WORDS = {Standing.OK: "ok      ", Standing.PROBLEM: "PROBLEM ", Standing.UNKNOWN: "unknown "}


def text(found: Diagnosis) -> str:
    """One block for each subject, a fix below what needs one, and a closing line."""
    blocks = [_block(subject, list(lines)) for subject, lines in groupby(found.symptoms, key=lambda one: one.subject)]
    return "\n".join([*blocks, _closing(found)])


def _block(subject: str, symptoms: list[Symptom]) -> str:
    lines = [subject]
    for one in symptoms:
        lines.append(f"  {WORDS[one.standing]} {one.area}: {one.summary}")
        lines += [f"           {line}" for line in one.fix.splitlines()]
    return "\n".join(lines) + "\n"


def _closing(found: Diagnosis) -> str:
    if found.problems or found.unknown:
        return f"{found.problems} problems, {found.unknown} unknown, {len(found.symptoms)} looked at\n"
    return f"All {len(found.symptoms)} are well.\n"
