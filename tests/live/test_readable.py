"""What programs print, as a transfer reads it: the end only comes when everything went well."""

from __future__ import annotations

from contextlib import closing

import pytest

from dbops import process
from dbops.errors import ToolFailed
from dbops.readable import ToolOutput


def output(script: str, **more: object) -> ToolOutput:
    return ToolOutput(process.popen(["sh", "-c", script]), "the dump", **more)  # type: ignore[arg-type]  # of one test


def read(stream: ToolOutput) -> bytes:
    blocks = []
    with closing(stream):
        while block := stream.read(1000):
            blocks.append(block)
    return b"".join(blocks)


def test_the_end_comes_after_success_alone() -> None:
    assert read(output("echo all")) == b"all\n"
    with pytest.raises(ToolFailed, match=r"^the dump: sh exited with 3: no room\n"):
        read(output("echo part; echo no room >&2; exit 3"))
    with pytest.raises(ToolFailed, match=r"^the dump: sh was killed by SIGKILL: it said nothing\n"):
        read(output("echo part; kill -9 $$"))


def test_who_looks_at_the_end_has_a_say() -> None:
    def incomplete() -> None:
        raise ToolFailed("it says nothing of its success")

    with pytest.raises(ToolFailed, match="it says nothing of its success"):
        read(output("echo all", ended=incomplete))


def test_cancelling_ends_the_program() -> None:
    stream = output("echo part; sleep 60")
    assert stream.read(5) == b"part\n"
    stream.cancel()
    with pytest.raises(ToolFailed, match="was killed by SIGKILL"):
        read(stream)
