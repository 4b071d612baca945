"""Bad days on demand: the next statement that matches fails, hangs, cuts the connection or lacks a right."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from tests.simulators.mssql.answers import Drop, Failed, Message, failed

if TYPE_CHECKING:
    from tests.simulators.mssql.session import Session


@dataclass
class Fault:
    pattern: re.Pattern[str]
    kind: Literal["fail", "hang", "drop", "deny"]
    messages: tuple[Message, ...] = ()
    permission: str = ""
    times: int = 1
    login: str = ""


@dataclass
class Faults:
    """Each is used up after ``times`` statements; a pattern is searched for in the text, whatever the case."""

    waiting: list[Fault] = field(default_factory=list)

    def fail(self, pattern: str, *messages: Message, times: int = 1) -> None:
        """The statement does nothing and answers these messages, the last of which should be an error."""
        self._add(Fault(re.compile(pattern, re.IGNORECASE), "fail", messages, times=times))

    def hang(self, pattern: str, *, times: int = 1) -> None:
        """The batch waits until an attention, KILL or the end of the connection."""
        self._add(Fault(re.compile(pattern, re.IGNORECASE), "hang", times=times))

    def drop(self, pattern: str, *, times: int = 1) -> None:
        """The connection is cut before the batch runs."""
        self._add(Fault(re.compile(pattern, re.IGNORECASE), "drop", times=times))

    def deny(self, session: Session, sql: str) -> None:
        """Called by the engine for each statement: raises what ``refuse`` and ``fail`` have asked for."""
        for fault in self._matching(sql, {"fail", "deny"}):
            self._used(fault)
            if fault.kind == "fail":
                raise Failed(*fault.messages)
            raise failed(
                300, f"{fault.permission} permission was denied on object 'server', database 'master'.", severity=14
            )
        del session

    def refuse(self, pattern: str, permission: str, *, times: int = 1) -> None:
        """The statement is refused with error 300 for a permission on the server that it needs."""
        self._add(Fault(re.compile(pattern, re.IGNORECASE), "deny", permission=permission, times=times))

    def strike(self, session: Session, sql: str) -> None:
        for fault in self._matching(sql, {"hang", "drop"}):
            self._used(fault)
            if fault.kind == "drop":
                raise Drop
            session.attention.wait()
            session.check()

    def _add(self, fault: Fault) -> None:
        self.waiting.append(fault)

    def _matching(self, sql: str, kinds: set[str]) -> list[Fault]:
        return [fault for fault in self.waiting if fault.kind in kinds and fault.pattern.search(sql)][:1]

    def _used(self, fault: Fault) -> None:
        fault.times -= 1
        if fault.times <= 0:
            self.waiting.remove(fault)
