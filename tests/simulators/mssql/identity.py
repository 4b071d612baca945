"""On whose behalf a statement runs: a login, and in each database the user that it is there."""

from __future__ import annotations

from typing import NamedTuple

DBO, GUEST, PUBLIC = 1, 2, 0
SA = 1
SERVER_PUBLIC = 2


class Identity(NamedTuple):
    """``login`` is None for a contained user; ``user`` is (database_id, principal_id) where it was taken on as such."""

    login: int | None
    user: tuple[int, int] | None
    saved_database: int = 0
