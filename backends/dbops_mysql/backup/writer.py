"""A running dump program: held back until it may begin, heard when it has begun, read database by database."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from dbops import process
from dbops.errors import ToolFailed
from dbops.plan import Value
from dbops.readable import ToolOutput
from dbops.spi import Member
from dbops_mysql.backup.artifacts import dump_of, views_of
from dbops_mysql.backup.options import command
from dbops_mysql.backup.split import Part, Splitter
from dbops_mysql.installation import Family

__all__ = ["Writer"]

BEGUN = "-- Setting savepoint..."
VIEWS = "-- Retrieving view structure"
# What a program says of its own progress, and what says nothing about a dump.
CHATTER = ("-- ", "WARNING: Forcing protocol", "Warning: mysqldump")
HARMLESS = ("Deprecated program name", "Using a password on the command line")
# The operator's own login paths would win over what we say.
ENVIRONMENT = {"LC_ALL": "C", "MYSQL_TEST_LOGIN_FILE": "/nonexistent", "MYSQL_PWD": None, "MYSQL_HOST": None}
LINES = 8
Facts = dict[str, Value]


class Writer:
    """One dump program for some databases.

    It waits for its option file, which is a pipe: so it is started before the moment that it is wanted at, and the
    password is on no disk and in nobody's arguments or environment. Ours gone, it reads the end of the pipe and ends.
    """

    def __init__(self, family: Family, tool: str, names: Sequence[str], *, history: bool):
        self.names = tuple(names)
        self._said: list[str] = []
        self._seen_views = False
        self._begun = threading.Event()
        reading, self._gate = os.pipe()
        try:
            argv = command(family, tool, names, reading, history=history)
            self._child = process.popen(argv, env=ENVIRONMENT, heard=self._hear, inherit=(reading,))
        except BaseException:
            os.close(self._gate)
            raise
        finally:
            os.close(reading)

    def release(self, options: str) -> None:
        """Let it read where the server is and who we are, and begin."""
        gate, self._gate = self._gate, -1
        try:
            os.write(gate, options.encode())
        except BrokenPipeError:
            pass  # it has ended: waiting for it says why
        finally:
            os.close(gate)

    def wait_until_begun(self, deadline_s: float) -> None:
        """Until its snapshot has begun.

        :raises ToolFailed: it ended before, with its words, or did not begin in time.
        """
        end = time.monotonic() + deadline_s
        while not self._begun.wait(0.02):
            if self._child.poll() is not None and not self._begun.wait(0.2):
                if self._child.poll() == 0:
                    return  # it had nothing to do
                raise ToolFailed(f"{self._ended()}: {self.words() or 'it said nothing'}", hint="Nothing was dumped.")
            if time.monotonic() > end:
                raise ToolFailed(f"{self._name()} did not begin its snapshot within {deadline_s:g} s: {self.words()}")

    def members(self) -> Iterator[Member]:
        """A stream for each database, then one for each that has views. Among the facts are ``largest``, the length of
        the longest statement in bytes so far, and ``warnings``, what the program complained about."""
        output = ToolOutput(self._child, f"the dump of {', '.join(self.names[:3])}", words=self.words)
        splitter = Splitter(output.read, self.names)
        for part in splitter.parts():
            facts: Facts = {}
            name = views_of(part.database) if part.views else dump_of(part.database)
            yield Member(name, _Stream(part, output, facts, (splitter, self.words)), facts)
        if splitter.seen_views != self._seen_views:
            raise ToolFailed("the dump cannot be told apart: its views were not where they belong")

    def words(self) -> str:
        """What it said besides its progress."""
        return "; ".join(self._said[-LINES:])

    def end(self) -> None:
        """Whatever it does."""
        if self._gate >= 0:
            os.close(self._gate)
            self._gate = -1
        if self._child.poll() is None:
            self._child.kill()
        with suppress(OSError):
            if self._child.stdout is not None:
                self._child.stdout.close()

    def _hear(self, line: str) -> None:
        if line.startswith(BEGUN):
            self._begun.set()
        elif line.startswith(VIEWS):
            self._seen_views = True
        elif line.strip() and not line.startswith(CHATTER) and not any(word in line for word in HARMLESS):
            self._said.append(line.strip())

    def _name(self) -> str:
        return os.path.basename(self._child.argv[0])  # noqa: PTH119  a word of argv

    def _ended(self) -> str:
        return process.describe(self._child.argv, self._child.wait())


class _Stream:
    """A part that can be cancelled, and that does not end the program when it is closed: another part follows."""

    def __init__(self, part: Part, output: ToolOutput, facts: Facts, told: tuple[Splitter, Callable[[], str]]) -> None:
        self._part, self._output, self._facts = part, output, facts
        self._splitter, self._words = told

    def read(self, n: int, /) -> bytes:
        """As the part."""
        block = self._part.read(n)
        if not block:
            self._facts["largest"] = self._splitter.largest
            self._facts["warnings"] = self._words()
        return block

    def cancel(self) -> None:
        """End the program."""
        self._output.cancel()

    def close(self) -> None:
        """Nothing: whoever holds the moment ends the program."""
