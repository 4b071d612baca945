"""A port for a server of our own: another one is tried when it is taken, and nothing else is."""

from __future__ import annotations

import itertools
from typing import cast

import pytest

from dbops import own_server
from dbops.errors import ToolFailed

TAKEN = ("Address already in use",)


class Server:
    """Ready, or not, as it is told."""

    def __init__(self, port: int, fails: BaseException | None) -> None:
        self.port, self.fails, self.killed = port, fails, False

    def wait_until_ready(self, deadline_s: float) -> None:
        if self.fails is not None:
            raise self.fails

    def kill(self) -> None:
        self.killed = True


class Launcher:
    """One server after the other, each failing by the next of ``fails``."""

    def __init__(self, *fails: BaseException | None) -> None:
        self.fails = iter(fails)
        self.servers: list[Server] = []

    def __call__(self, port: int) -> own_server.OwnServer:
        self.servers.append(Server(port, next(self.fails)))
        return cast(own_server.OwnServer, self.servers[-1])


@pytest.fixture(autouse=True)
def _ports(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = itertools.count(4001)
    monkeypatch.setattr(own_server, "free_port", lambda: next(numbers))
    monkeypatch.setattr("time.sleep", lambda _seconds: None)


def test_another_port_is_tried_when_one_was_taken() -> None:
    launch = Launcher(ToolFailed("bind: Address already in use"), None)
    running, port = own_server.on_port(launch, again=TAKEN)
    assert id(running) == id(launch.servers[1])
    assert (port, [one.port for one in launch.servers]) == (4002, [4001, 4002])
    assert [one.killed for one in launch.servers] == [True, False]


def test_a_port_that_was_kept_is_tried_again() -> None:
    launch = Launcher(ToolFailed("Address already in use"), None)
    assert own_server.on_port(launch, again=TAKEN, port=3306)[1] == 3306
    assert [one.port for one in launch.servers] == [3306, 3306]


@pytest.mark.parametrize("error", [ToolFailed("the disk is full"), KeyboardInterrupt()])
def test_whatever_else_happens_is_told_and_leaves_no_server(error: BaseException) -> None:
    launch = Launcher(error)
    with pytest.raises(type(error)) as caught:
        own_server.on_port(launch, again=TAKEN)
    assert caught.value is error
    assert launch.servers[0].killed


def test_there_is_an_end_to_trying() -> None:
    launch = Launcher(ToolFailed("Address already in use"))
    with pytest.raises(ToolFailed, match="Address already in use"):
        own_server.on_port(launch, again=TAKEN, deadline_s=-1)


def test_a_command_names_whom_it_is_to_run_as() -> None:
    assert own_server.as_typed("mysqld &", None) == "mysqld &"
    assert own_server.as_typed("mysqld &", "mysql") == "setpriv --reuid mysql --clear-groups mysqld &"
