"""The only caller of ``subprocess``: programs on the host where dbops runs.

A secret reaches a program by its environment, never by ``argv``: every user of the machine can read another's
arguments. Each program leads a process group of its own, so that ending it ends what it started too, and Ctrl-C on the
terminal reaches dbops alone, which then ends its children in its own order.
"""

from __future__ import annotations

import atexit
import math
import os
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import msgspec

from dbops.errors import ToolFailed

__all__ = ["Child", "Completed", "popen", "run"]

TAIL_BYTES = 64 * 1024
# What a program of another user is given of our environment.
HARMLESS = {"PATH", "LANG", "TZ", "TMPDIR", "LD_LIBRARY_PATH"}
Environment = Mapping[str, str | None]
Argv = Sequence[str | os.PathLike[str]]


class Completed(msgspec.Struct, frozen=True, kw_only=True):
    """A program that ended: all of its standard output, and the last 64 KiB of what it said on standard error.

    :param returncode: negative when a signal ended it, as in :attr:`subprocess.Popen.returncode`.
    """

    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str

    def check(self, ok: Sequence[int] = (0,)) -> Completed:
        """Itself, when the exit code is one of ``ok``.

        :raises ToolFailed: with the program's own last words otherwise.
        """
        if self.returncode in ok:
            return self
        said = (self.stderr or self.stdout).strip()
        raise ToolFailed(f"{describe(self.argv, self.returncode)}: {said or 'it said nothing'}")


class Child:
    """A running program. ``stdin`` and ``stdout`` are there when they were asked for; standard error is read away by a
    thread, which keeps its tail, so the program never blocks on it. Leaving the context kills what still runs.

    :param heard: told every line of standard error, by that thread; it must not raise.
    """

    def __init__(
        self, argv: tuple[str, ...], popen: subprocess.Popen[bytes], heard: Callable[[str], None] | None = None
    ) -> None:
        self.argv = argv
        self._popen = popen
        self._heard = heard
        self._tail: bytearray = bytearray()
        self._drain: threading.Thread | None = None
        if popen.stderr is not None:
            self._drain = threading.Thread(target=self._keep_tail, args=(popen.stderr,), daemon=True)
            self._drain.start()
        _running.difference_update([child for child in list(_running) if child.poll() is not None])
        _running.add(self)

    @property
    def pid(self) -> int:
        """The process id, which is also that of its group."""
        return self._popen.pid

    @property
    def stdin(self) -> IO[bytes] | None:
        """Where to write, when ``popen(stdin=True)``."""
        return self._popen.stdin

    @property
    def stdout(self) -> IO[bytes] | None:
        """What the program prints, unless it goes to a log."""
        return self._popen.stdout

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        return self._popen.poll()

    def wait(self, timeout: float | None = None) -> int:
        """The exit code.

        :raises TimeoutError: when the program still runs after ``timeout`` seconds; it goes on running.
        """
        try:
            return self._popen.wait(timeout)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"{self.argv[0]} still runs after {timeout:g} s") from None

    def stderr_tail(self) -> str:
        """The last 64 KiB of standard error; complete once the program has ended."""
        if self._drain is not None and self._popen.poll() is not None:
            self._drain.join(timeout=1)
        return self._tail.decode(errors="replace")

    def send_signal(self, number: int) -> None:
        """To the program alone, not to its group; nothing happens when it has ended."""
        self._popen.send_signal(number)

    def kill(self) -> None:
        """End the whole group at once, and wait for the program."""
        _kill_group(self._popen)
        self._popen.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.poll() is None:
            self.kill()
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()

    def _keep_tail(self, pipe: IO[bytes]) -> None:
        rest = b""
        with pipe:
            while chunk := os.read(pipe.fileno(), TAIL_BYTES):
                self._tail.extend(chunk)
                del self._tail[:-TAIL_BYTES]
                if self._heard is not None:
                    *lines, rest = (rest + chunk).split(b"\n")
                    for line in lines:
                        self._heard(line.decode(errors="replace"))
        if rest and self._heard is not None:
            self._heard(rest.decode(errors="replace"))


_running: set[Child] = set()


def run(
    argv: Argv,
    *,
    env: Environment | None = None,
    user: str | None = None,
    stdin: bytes | None = None,
    timeout: float | None = None,
    cwd: Path | None = None,
    watch: Callable[[], None] | None = None,
) -> Completed:
    """Run a program to its end; any exit code is returned.

    :param env: variables added to ours (to a few harmless ones for another ``user``); None removes one. The place for
        secrets.
    :param user: run as this user, which only root can ask for.
    :param timeout: seconds, after which the program and all it started are killed.
    :param watch: called several times a second; what it raises ends the program at once, and is raised.
    :raises ToolFailed: it cannot be started, or took too long.
    """
    words = _words(argv)
    popen = _start(words, env, user, cwd, stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL)
    try:
        out, err = _communicate(popen, stdin, timeout, watch)
    except subprocess.TimeoutExpired as error:
        said = (error.stderr or b"")[-TAIL_BYTES:].decode(errors="replace").strip()
        raise ToolFailed(
            f"{words[0]} did not end within {timeout:g} s and was killed" + (f": {said}" if said else "")
        ) from None
    finally:
        if popen.poll() is None:
            _kill_group(popen)
            popen.communicate()
    return Completed(
        argv=words,
        returncode=popen.returncode,
        stdout=out.decode(errors="replace"),
        stderr=err[-TAIL_BYTES:].decode(errors="replace"),
    )


def _communicate(
    popen: subprocess.Popen[bytes], stdin: bytes | None, timeout: float | None, watch: Callable[[], None] | None
) -> tuple[bytes, bytes]:
    if watch is None:
        return popen.communicate(stdin, timeout)
    deadline = math.inf if timeout is None else time.monotonic() + timeout
    while True:
        watch()
        left = deadline - time.monotonic()
        try:
            return popen.communicate(stdin, min(0.2, max(0.0, left)))
        except subprocess.TimeoutExpired:
            if left <= 0.2:
                raise
            stdin = None  # it is being sent, and may be named only once


def popen(
    argv: Argv,
    *,
    env: Environment | None = None,
    user: str | None = None,
    stdin: bool = False,
    cwd: Path | None = None,
    log: Path | None = None,
    heard: Callable[[str], None] | None = None,
    inherit: Sequence[int] = (),
) -> Child:
    """Start a program and go on; it is killed at the latest when this interpreter ends.

    :param inherit: open descriptors that it gets under the same numbers.
    :param stdin: give it a pipe to read from instead of nothing.
    :param log: a file that both of its outputs are appended to, instead of pipes.
    :param heard: told every line of its standard error at once, by another thread; it must not raise.
    :raises ToolFailed: it cannot be started.
    """
    words = _words(argv)
    source = subprocess.PIPE if stdin else subprocess.DEVNULL
    if log is None:
        return Child(words, _start(words, env, user, cwd, stdin=source, inherit=inherit), heard)
    with log.open("ab") as sink:
        started = _start(
            words, env, user, cwd, stdin=source, stdout=sink, stderr=subprocess.STDOUT, inherit=inherit
        )  # fmt: skip
        return Child(words, started)


def describe(argv: Sequence[str], returncode: int) -> str:
    """``pg_dump was killed by SIGKILL`` or ``pg_dump exited with 1``."""
    program = Path(argv[0]).name
    if returncode >= 0:
        return f"{program} exited with {returncode}"
    try:
        return f"{program} was killed by {signal.Signals(-returncode).name}"
    except ValueError:
        return f"{program} was killed by signal {-returncode}"


def _start(
    argv: tuple[str, ...],
    env: Environment | None,
    user: str | None,
    cwd: Path | None,
    *,
    stdin: int,
    stdout: int | IO[bytes] = subprocess.PIPE,
    stderr: int = subprocess.PIPE,
    inherit: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            argv,
            env=_environment(env, user),
            # Our own directory may be closed to the other user, and every program would fail on getcwd.
            cwd=cwd or ("/" if user else None),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
            pass_fds=inherit,
            user=user,
            group=_group_of(user) if user else None,
            extra_groups=[] if user else None,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ToolFailed(
            f"{argv[0]} cannot be started: {error}", hint=f"The command was: {shlex.join(argv)}"
        ) from error


def _words(argv: Argv) -> tuple[str, ...]:
    return tuple(os.fspath(word) for word in argv)


def _environment(changes: Environment | None, user: str | None) -> dict[str, str] | None:
    if changes is None and user is None:
        return None
    # Our variables may hold secrets, and another user's programs can be looked into by that user.
    kept = {name: value for name, value in os.environ.items() if user is None or _harmless(name)}
    merged = {**kept, **(changes or {})}
    return {name: value for name, value in merged.items() if value is not None}


def _harmless(name: str) -> bool:
    return name in HARMLESS or name.startswith("LC_")


def _group_of(user: str) -> int:
    import pwd

    try:
        return pwd.getpwnam(user).pw_gid
    except KeyError:
        raise ToolFailed(f"there is no user {user!r} on this machine to run a program as") from None


def _kill_group(popen: subprocess.Popen[bytes]) -> None:
    if not hasattr(os, "killpg"):
        popen.kill()
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(popen.pid, signal.SIGKILL)


@atexit.register
def _leave_nothing_behind() -> None:
    for child in list(_running):
        if child.poll() is None:
            child.kill()
