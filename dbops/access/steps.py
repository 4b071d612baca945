"""Steps of provisioning that are the same for every engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dbops.model.change import Change, CreatePrincipal, SetPassword
from dbops.plan import Call, Hold, Opening, Risk, Seal, SecretRef, Sql, Step, walk

__all__ = ["GENERATE", "LOCK", "locked", "passwords_to_have", "passwords_to_make_up"]

GENERATE = "generate_password"
"""The operation of a backend that makes a password up: ``path``, and ``again`` where one that is there will do."""

LOCK = "users_lock"
"""What a backend holds open while users are changed; a second run cannot."""


def passwords_to_make_up(changes: Sequence[Change]) -> Iterator[Step]:
    """One for each file, whatever the number of accounts that get the password.

    For an account that is made, a password that a run left there before it could make the account is taken; for one
    that is there already, it would be the old one.
    """
    again: dict[str, bool] = {}
    names: dict[str, list[str]] = {}
    for change in changes:
        if isinstance(change, CreatePrincipal | SetPassword) and change.generate and change.password is not None:
            path = change.password.ref.partition(":")[2]
            again[path] = again.get(path, True) and isinstance(change, CreatePrincipal)
            names.setdefault(path, []).append(change.name)
    for number, (path, people) in enumerate(names.items(), 1):
        yield Call(
            id=f"g{number:03d}",
            summary=f"make up a password for {', '.join(people)} in {path}",
            risk=Risk.WRITE,
            undo=f"remove {path}",
            idempotent=again[path],
            provider="backend",
            operation=GENERATE,
            arguments={"path": path, "again": again[path]},
        )


def locked(steps: Sequence[Step], *, database: str = "") -> tuple[Step, ...]:
    """Under the lock that keeps a second run away; none for no steps.

    :param database: where the lock is taken, on engines where a lock is one database's.
    """
    if not steps:
        return ()
    order = list(Risk)
    return (
        Hold(
            id="lock",
            summary="keep other runs of dbops users away",
            risk=max((step.risk for step in steps), key=order.index),
            opening=Opening(what=LOCK, arguments={"database": database} if database else {}),
            steps=tuple(steps),
            close="the lock is released with its session",
        ),
    )


def passwords_to_have(steps: tuple[Step, ...]) -> tuple[SecretRef, ...]:
    """The secrets that must be there before the first of these steps: all but those that they make up, each once."""
    every = tuple(walk(steps))
    made_up = {f"file:{one.arguments['path']}" for one in every if isinstance(one, Call) and one.operation == GENERATE}
    sealed = (part.secret for one in every if isinstance(one, Sql) for part in one.statement if isinstance(part, Seal))
    return tuple(secret for secret in dict.fromkeys(sealed) if secret.ref not in made_up)
