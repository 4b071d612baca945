"""What a spec changes, and above all what it leaves alone."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from dbops.access.diff import diff
from dbops.errors import InputError
from dbops.model.access import AccessSnapshot, DefaultGrant, Grant
from dbops.model.change import DropPrincipal, RemoveDefault
from dbops.model.users import Wanted, WantedPrincipal

Make = Callable[..., AccessSnapshot]
A, B, C = 2, 3, 4


def world(make: Make, *defaults: DefaultGrant) -> AccessSnapshot:
    return msgspec.structs.replace(make(people={"a": (), "b": (), "c": ()}), defaults=defaults)


def default(creator: int, grantee: int, database: str = "app") -> DefaultGrant:
    grants = (Grant(grantee, creator, 1),)
    return DefaultGrant(creator=creator, database=database, schema="", kind="table", grants=grants)


def wanted(*people: WantedPrincipal) -> Wanted:
    return Wanted(managed=("*",), databases=("app",), principals=people, grants=(), owners=())


PRESENT = WantedPrincipal(name="a", state="present", attributes=(), member_of=())
ABSENT = WantedPrincipal(name="a", state="absent", attributes=(), member_of=(), where="spec:7")


def test_defaults_of_other_databases_and_of_others_are_left_alone(make: Make) -> None:
    elsewhere, others = default(B, A, "other"), default(B, C)
    assert diff(world(make, elsewhere, others), wanted(PRESENT)).changes == ()
    [removed] = diff(world(make, elsewhere, others, default(C, A)), wanted(PRESENT)).changes
    assert isinstance(removed, RemoveDefault)
    assert (removed.creator, removed.database, removed.principal) == ("c", "app", "a")


@pytest.mark.parametrize(("creator", "grantee", "named"), [(A, B, True), (B, A, True), (B, C, False)])
def test_an_account_goes_when_no_default_names_it(make: Make, creator: int, grantee: int, named: bool) -> None:
    found = world(make, default(creator, grantee, "other"))
    if not named:
        assert diff(found, wanted(ABSENT)).changes == (DropPrincipal(name="a"),)
        return
    with pytest.raises(InputError, match="spec:7: 'a' cannot be dropped yet: default privileges") as raised:
        diff(found, wanted(ABSENT))
    assert "dbops users offboard" in raised.value.hint
