"""The planner of restores against a small database that keeps its whole history and plays the server."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import msgspec
from hypothesis import given, settings

from dbops.model.recovery import Reachability
from dbops_mssql.backup.sequence import After, find
from dbops_mssql.backup.sets import Kind
from tests.backends.mssql.backup_model import HISTORIES, STEP, Server, ask


@settings(max_examples=250, deadline=None)
@given(HISTORIES)
def test_a_sequence_gives_the_very_state_and_a_refusal_is_right(server: Server) -> None:
    for stop in range(5, server.now + STEP, STEP // 2):
        found = ask(server, stop)
        if found.verdict is Reachability.REACHABLE:
            # Without a log it is the state at the end of a full or differential backup, which is that instant.
            done = server.replay(found, stop if found.stop.time else None)
            assert done is not None
            assert done.history == server.at(stop)
        elif found.verdict is Reachability.UNREACHABLE and stop % STEP == 0:
            # Between two records an instant is no other than that of the first.
            assert [path for done, path in server.ways(stop) if done.history == server.at(stop)] == []
            assert found.reason


@settings(max_examples=150, deadline=None)
@given(HISTORIES)
def test_nothing_is_left_open_where_the_server_says_when_and_where(server: Server) -> None:
    """2022 and later, with its history of restores; several forks in turn may leave open what crossed them."""
    if not server.informed or server.zone is None or len(server.parents) > 2:
        return
    for stop in range(STEP, server.now + STEP, STEP):
        assert ask(server, stop).verdict is not Reachability.UNKNOWN


@settings(max_examples=150, deadline=None)
@given(HISTORIES)
def test_latest_is_the_newest_set_that_can_be_reached(server: Server) -> None:
    found = find(server.sets, "shop", restores=server.restores)
    lost = {one.uuid for one in server.taken} - {one.uuid for one in server.sets}
    ends = [path[-1].finished for _, path in server.ways(None) if not lost & {one.uuid for one in path}]
    if found.verdict is Reachability.REACHABLE:
        done = server.replay(found, None)
        assert done is not None
        assert next(one.finished for one in server.taken if one.uuid == found.sets[-1].uuid) == max(ends)
    else:
        assert ends == []


@settings(max_examples=100, deadline=None)
@given(HISTORIES)
def test_a_restore_that_goes_on_ends_where_one_in_a_single_go_does(server: Server) -> None:
    whole = find(server.sets, "shop", restores=server.restores)
    for number in range(1, len(whole.sets)):
        before, after = whole.sets[:number], whole.sets[number:]
        if any(one.kind is not Kind.LOG for one in after):
            continue  # nothing but logs goes onto a database that is there
        onto = find(server.sets, "shop", restores=server.restores, after=After(before[-1].uuid))
        done = server.replay(msgspec.structs.replace(onto, sets=(*before, *onto.sets)), None)
        assert done == server.replay(whole, None)
        assert onto.inside == before[-1]


@settings(max_examples=100, deadline=None)
@given(HISTORIES, st.randoms(use_true_random=False))
def test_the_order_in_which_sets_were_read_changes_nothing(server: Server, chance: Any) -> None:
    shuffled = list(server.sets)
    chance.shuffle(shuffled)
    one = find(server.sets, "shop", restores=server.restores)
    other = find(shuffled, "shop", restores=server.restores)
    assert [found.uuid for found in one.sets] == [found.uuid for found in other.sets]
