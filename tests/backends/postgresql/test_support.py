"""What can be asked of which PostgreSQL."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from dbops.capabilities import FULL, Capability, Impossible, NotImplementedYet, Since, supported
from dbops.model.server import Server
from dbops_postgresql import support as module
from dbops_postgresql.support import support

PRIMARY = Server(engine="postgresql", version=(17, 10), version_text="17.10", role="primary", incarnation="1")
STANDBY = msgspec.structs.replace(PRIMARY, role="standby")
RDS = msgspec.structs.replace(PRIMARY, edition="Amazon RDS")


@pytest.mark.parametrize("capability", Capability)
def test_every_answer_is_an_answer_and_every_no_has_a_reason(capability: Capability) -> None:
    for server in (None, PRIMARY, STANDBY, RDS, msgspec.structs.replace(PRIMARY, version=(13, 0))):
        answer = support(capability, server)
        if isinstance(answer, NotImplementedYet | Impossible):
            assert answer.reason
        else:
            assert answer == FULL or isinstance(answer, Since)


@pytest.mark.parametrize("capability", [Capability.USERS_APPLY, Capability.USERS_ROTATE])
def test_a_standby_takes_no_changes(capability: Capability) -> None:
    assert support(capability, STANDBY) == Impossible("a standby takes no changes: use the primary")
    assert support(capability, PRIMARY) == FULL


def test_a_managed_service_hands_out_no_files() -> None:
    answer = support(Capability.BACKUP_PHYSICAL, RDS)
    assert isinstance(answer, Impossible)
    assert "managed service" in answer.reason
    assert supported(support(Capability.BACKUP_LOGICAL, RDS))


def test_a_standby_can_be_backed_up_and_looked_at() -> None:
    for capability in (Capability.HEALTH, Capability.BACKUP_PHYSICAL, Capability.ACCESS_INSPECT):
        assert supported(support(capability, STANDBY))


def test_below_the_version_it_is_impossible_and_says_which_one_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(module._TABLE, Capability.BACKUP_INCREMENTAL, Since("17"))
    answers = {
        major: support(Capability.BACKUP_INCREMENTAL, msgspec.structs.replace(PRIMARY, version=(major, 0)))
        for major in (16, 17, 18)
    }
    assert answers == {16: Impossible("PostgreSQL 16 cannot; 17 can"), 17: Since("17"), 18: Since("17")}


def test_what_a_server_can_is_never_more_than_what_the_engine_can() -> None:
    for capability, server in itertools.product(Capability, (PRIMARY, STANDBY, RDS)):
        if supported(support(capability, server)):
            assert supported(support(capability, None))
