"""What a person at the keyboard tells a running simulator: bad days, as :mod:`faults` makes them, and scripts."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tests.simulators.mssql.answers import Failed, error
from tests.simulators.mssql.instance import Instance
from tests.simulators.mssql.server import Server

WORDS = """\
fail REGEX NUMBER TEXT     the next statement that matches does nothing and ends with this error
refuse REGEX PERMISSION    it lacks a permission on the server
hang REGEX                 its batch waits until somebody gives up
drop REGEX                 its connection is cut
cut                        every connection is cut
later HOURS                the clock goes forward
windows NAME U|G           Windows has such a user, or such a group
rows VIEW JSON             what a view says from now on: a list of rows; columns left out are NULL
run FILE                   a script, in which lines that say GO end a batch
sql TEXT                   one batch"""


@dataclass(frozen=True)
class Running:
    instance: Instance
    server: Server


def obey(said: str, running: Running) -> str:
    """Does what one line asks for; gives what there is to say about it: the rows of a query, or what was wrong."""
    try:
        word, *rest = shlex.split(said)
        needed, do = _DO[word]
        if len(rest) != needed:
            return f"{word} takes {needed} words"
        return do(running, *rest)
    except (KeyError, ValueError):
        return WORDS
    except OSError as wrong:
        return str(wrong)
    except Failed as wrong:
        return "\n".join(f"Msg {one.number}, Level {one.severity}: {one.text}" for one in wrong.messages)


def script(running: Running, file: str) -> str:
    """Runs a file as ``sa``; gives the rows of its last query.

    :raises Failed: a statement of it did.
    """
    return _sql(running, Path(file).read_text(encoding="utf-8"))


def _sql(running: Running, text: str) -> str:
    return "\n".join(str(row) for row in running.instance.execute(text))


def _fail(running: Running, pattern: str, number: str, text: str) -> str:
    running.instance.faults.fail(pattern, error(int(number), text))
    return ""


def _refuse(running: Running, pattern: str, permission: str) -> str:
    running.instance.faults.refuse(pattern, permission)
    return ""


def _hang(running: Running, pattern: str) -> str:
    running.instance.faults.hang(pattern)
    return ""


def _drop(running: Running, pattern: str) -> str:
    running.instance.faults.drop(pattern)
    return ""


def _cut(running: Running) -> str:
    running.server.cut()
    return ""


def _later(running: Running, hours: str) -> str:
    running.instance.offset += timedelta(hours=float(hours))
    return str(running.instance.now())


def _windows(running: Running, name: str, kind: str) -> str:
    running.instance.windows[name.lower()] = kind
    return ""


def _rows(running: Running, view: str, rows: str) -> str:
    running.instance.set_rows(view, json.loads(rows))
    return ""


_DO: dict[str, tuple[int, Callable[..., str]]] = {
    "fail": (3, _fail),
    "refuse": (2, _refuse),
    "hang": (1, _hang),
    "drop": (1, _drop),
    "cut": (0, _cut),
    "later": (1, _later),
    "windows": (2, _windows),
    "rows": (2, _rows),
    "run": (1, script),
    "sql": (1, _sql),
}
