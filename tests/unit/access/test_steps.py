"""Steps and words that every engine shares."""

from __future__ import annotations

from dbops.access.steps import passwords_to_make_up
from dbops.access.telling import summary
from dbops.model.access import Rules
from dbops.model.change import AddMembership, CreatePrincipal, DiscardPassword, SetInherited, SetPassword
from dbops.plan import Call, SecretRef

PLACE = SecretRef("file:/run/alice")


def made(name: str, place: SecretRef = PLACE) -> CreatePrincipal:
    return CreatePrincipal(name=name, attributes=("LOGIN",), password=place, generate=True, kind="user")


def test_a_password_is_made_up_once_for_all_accounts_that_get_it() -> None:
    steps = list(passwords_to_make_up([made("a"), made("b"), made("c", SecretRef("file:/run/c"))]))
    assert [one.summary for one in steps] == [
        "make up a password for a, b in /run/alice",
        "make up a password for c in /run/c",
    ]
    assert [one.id for one in steps] == ["g001", "g002"]
    assert all(isinstance(one, Call) and one.arguments["again"] is True for one in steps)


def test_a_new_password_is_never_one_that_is_there() -> None:
    [step] = passwords_to_make_up([made("a"), SetPassword(name="b", password=PLACE, generate=True)])
    assert isinstance(step, Call)
    assert step.arguments == {"path": "/run/alice", "again": False}
    assert list(passwords_to_make_up([SetPassword(name="b", password=PLACE)])) == []


def test_changes_in_words() -> None:
    plain, listed = Rules(kinds={}), Rules(kinds={}, inherit_list=True)
    assert summary(made("a"), plain) == "create account a"
    assert summary(SetPassword(name="a", password=PLACE), plain) == "set a new password for a"
    kept = SetPassword(name="a", password=PLACE, keep_old=True)
    assert summary(kept, plain) == "set a new password for a, the old one goes on working"
    assert summary(DiscardPassword(name="a"), plain) == "end the old password of a"
    joined = AddMembership(member="a", group="g", inherit=False)
    assert summary(joined, plain) == "let a into g without inherit"
    assert summary(joined, listed) == "let a into g"
    assert summary(SetInherited(member="a", groups=("g", "h")), listed) == "let a begin with g, h"
    assert summary(SetInherited(member="a", groups=()), listed) == "let a begin with no role"
