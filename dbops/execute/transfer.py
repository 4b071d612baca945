"""Bytes from a source into a sink."""

from __future__ import annotations

import errno
import os
import tarfile
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import IO, cast

from dbops import process
from dbops.errors import DbopsError, DestinationExists, OutputError, StorageFailed, ToolFailed, Unsupported, UsageError
from dbops.execute import doors
from dbops.execute.context import Context, Repositories
from dbops.plan import FromServer, Sink, ToCommand, ToDirectory, ToFile, ToRepository, Transfer
from dbops.spi import Member, Readable

__all__ = ["transfer"]

_BLOCK = 1 << 20
# SIGINT, SIGKILL, SIGTERM: a kernel that is out of memory, or a person; a program that crashes gets others.
KILLED = (-2, -9, -15)


def transfer(step: Transfer, context: Context) -> None:
    """Move every member of the source; the outputs are ``bytes`` and, for a repository, each artifact's digest."""
    if step.filters and not isinstance(step.sink, ToRepository):
        raise Unsupported(f"{step.summary}: filters are only applied on the way into a repository")
    total = 0
    # Closed at once when a sink fails: the source may hold a connection and a child.
    with closing(_members(step, context)) as members:
        for member in members:
            watched = _Watched(member.stream, step.summary, context)
            with closing(watched), context.cancelling(watched.cancel):
                _into(step.sink, member.name, watched, step, context)
            total += watched.bytes
            context.note(step.id, member.facts)
    context.note(step.id, {"bytes": total})


def _members(step: Transfer, context: Context) -> Generator[Member]:
    source = step.source
    if isinstance(source, FromServer):
        yield from doors.streams(source, context)
    else:
        yield Member(source.artifact, _repositories(context).read(source))


def _repositories(context: Context) -> Repositories:
    if context.repositories is None:
        raise UsageError("this run has no repository")
    return context.repositories


class _Watched:
    """A stream that counts, tells how far it is, and stops when the run is stopped."""

    def __init__(self, stream: Readable, what: str, context: Context) -> None:
        self._stream, self._what, self._context = stream, what, context
        self.bytes = 0

    def read(self, n: int = _BLOCK, /) -> bytes:
        self._context.go_on()
        try:
            block = self._stream.read(n)
        except DbopsError:
            self._context.go_on()  # when it was stopped, that is the cause
            raise
        except OSError as error:  # the sink's own errors look the same, and each end keeps its own
            raise StorageFailed(f"{self._what}: the source failed: {error.strerror or error}") from None
        self.bytes += len(block)
        self._context.progress(self._what, self.bytes, None)
        return block

    def cancel(self) -> None:
        cancel = getattr(self._stream, "cancel", None)
        if cancel is not None:
            cancel()

    def close(self) -> None:
        self._stream.close()


def _into(sink: Sink, name: str, stream: _Watched, step: Transfer, context: Context) -> None:
    if isinstance(sink, ToRepository):
        artifact = sink.artifact or name
        facts = _repositories(context).write(sink, artifact, stream)
        context.note(step.id, {f"{artifact}:{key}": value for key, value in facts.items()})
    elif isinstance(sink, ToDirectory):
        _unpack(stream, Path(str(context.value(sink.path))))
    elif isinstance(sink, ToFile):
        _save(stream, Path(str(context.value(sink.path))))
    elif isinstance(sink, ToCommand):
        _feed(sink, stream, context)
    else:
        while stream.read(_BLOCK):
            pass


def _unpack(stream: _Watched, path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise DestinationExists(f"{path} is not empty", hint="Restore into a directory that is not there yet.")
        with tarfile.open(fileobj=cast(IO[bytes], stream), mode="r|", bufsize=_BLOCK) as archive:
            # Python 3.11 before its fourth patch (Debian 12 has the second) knows no filters: _inside looks for itself.
            archive.extraction_filter = getattr(tarfile, "tar_filter", None)
            archive.extractall(path, members=_inside(archive, path.resolve()))  # noqa: S202  looked at one by one
        while stream.read(_BLOCK):  # what follows the archive's end is checked against the digest too
            pass
    except tarfile.TarError as error:
        raise StorageFailed(f"{path}: the archive cannot be unpacked: {error}") from None
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from None


def _inside(archive: tarfile.TarFile, path: Path) -> Iterator[tarfile.TarInfo]:
    """The members, as long as each stays below ``path``, links that came before it followed. A server's files are
    files, directories and symbolic links: a hard link or a device would be a way to what is elsewhere."""
    for member in archive:
        place = Path(os.path.normpath(path / member.name))
        if not (member.isreg() or member.isdir() or member.issym()) or place.is_symlink():
            raise StorageFailed(f"{path}: the archive holds {member.name!r}, which is no file of a server's directory")
        if place != path and not place.parent.resolve().is_relative_to(path):
            raise StorageFailed(f"{path}: the archive holds {member.name!r}, which does not belong below it")
        yield member


def _save(stream: _Watched, path: Path) -> None:
    _to_descriptor(path, stream.read)


def _to_descriptor(path: Path, read: Callable[[int], bytes]) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise DestinationExists(f"{path} is there already", hint="Choose another name.") from None
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            while block := read(_BLOCK):
                file.write(block)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise OutputError(f"{path} cannot be written: {error.strerror}") from None
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _feed(sink: ToCommand, stream: _Watched, context: Context) -> None:
    argv = [str(context.value(word)) for word in sink.argv]
    env = {name: str(context.value(value)) for name, value in sink.env.items()}
    with process.popen(argv, env=env, stdin=True) as child:
        # Read what it prints while it is fed: a full pipe would stop both of us.
        drain = threading.Thread(target=_drop, args=(child.stdout,), daemon=True)
        drain.start()
        _pour(stream, child)
        returncode = _ended(child, context)
        drain.join(1)
        if returncode != 0:
            said = child.stderr_tail().strip()
            raise ToolFailed(
                f"{process.describe(child.argv, returncode)}: {said or 'it said nothing'}",
                reason=_reason(said, returncode),
            )
    while stream.read(_BLOCK):  # a program may be content with less, but only the end tells that the source was whole
        pass


def _reason(said: str, returncode: int) -> str:
    """Why a program failed, when that says nothing about what it was fed: a full disk, or somebody who killed it."""
    if os.strerror(errno.ENOSPC) in said:
        return "no_space"
    return "interrupted" if returncode in KILLED else ""


def _drop(pipe: IO[bytes] | None) -> None:
    while pipe is not None and pipe.read(_BLOCK):
        pass


def _pour(stream: _Watched, child: process.Child) -> None:
    pipe = cast(IO[bytes], child.stdin)
    try:
        while block := stream.read(_BLOCK):
            pipe.write(block)
        pipe.close()
    except BrokenPipeError:  # the program ended early: its exit code says why
        with suppress(BrokenPipeError):
            pipe.close()
    except BaseException:
        # Closing its input would tell the program that it has everything.
        child.kill()
        raise


def _ended(child: process.Child, context: Context) -> int:
    while True:
        try:
            return child.wait(0.2)
        except TimeoutError:
            context.go_on()
