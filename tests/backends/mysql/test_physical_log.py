"""What copying programs say: success is only what they call so, and locks are told with their length."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dbops.errors import ToolFailed
from dbops_mysql.backup.copy_log import MARIADB, MYSQL, CopyLog, Phrases, reason_of

# As mariadb-backup 10.11.19 says it, shortened.
SAID = """\
[00] 2026-11-25 16:12:39 Connecting to MariaDB server host: localhost, user: backup, password: set, port: not set
[00] 2026-11-25 16:12:39 Acquiring BACKUP LOCKS...
[00] 2026-11-25 16:12:40 Acquired locks for BACKUP STAGE START
[01] 2026-11-25 16:12:41 Streaming ./sys/statements_with_errors_or_warnings.frm to <STDOUT>
[00] 2026-11-25 16:12:41 Acquired locks for BACKUP STAGE BLOCK_DDL
[00] 2026-11-25 16:12:42 Acquired locks for BACKUP STAGE BLOCK_COMMIT
[00] 2026-11-25 16:12:44 Executing BACKUP STAGE END
[00] 2026-11-25 16:12:44 All tables unlocked
[00] 2026-11-25 16:12:44 completed OK!
"""
# As its documentation shows it for xtrabackup 8.4.
PERCONA = """\
2026-11-25T16:12:39.100000-00:00 0 [Note] [MY-1] [Xtrabackup] Executing LOCK INSTANCE FOR BACKUP ...
2026-11-25T16:12:41.200000-00:00 0 [Note] [MY-1] [Xtrabackup] Selecting LSN and binary log position from p_s.log_status
2026-11-25T16:12:43.300000-00:00 0 [Note] [MY-1] [Xtrabackup] Executing UNLOCK INSTANCE
2026-11-25T16:12:43.400000-00:00 0 [Note] [MY-1] [Xtrabackup] completed OK!
"""


def hear(said: str, phrases: Phrases = MARIADB) -> CopyLog:
    seconds = iter(range(1000))
    log = CopyLog(phrases, clock=lambda: float(next(seconds)))
    for line in said.splitlines():
        log.heard(line)
    return log


def test_success_with_its_locks_and_its_moment() -> None:
    log = hear(SAID)
    log.check()
    assert log.frozen_at == datetime(2026, 11, 25, 16, 12, 42, tzinfo=UTC)
    assert log.held_s == {"Acquiring BACKUP LOCKS": 4.0, "START": 3.0, "BLOCK_DDL": 2.0, "BLOCK_COMMIT": 1.0}


def test_an_older_mariadb_names_its_locks_once() -> None:
    log = hear("\n".join(line for line in SAID.splitlines() if "Acquired" not in line))
    assert log.frozen_at == datetime(2026, 11, 25, 16, 12, 39, tzinfo=UTC)
    assert log.held_s == {"Acquiring BACKUP LOCKS": 1.0}


def test_percona_s_words() -> None:
    log = hear(PERCONA, MYSQL)
    log.check()
    assert log.frozen_at == datetime(2026, 11, 25, 16, 12, 41, tzinfo=UTC)
    assert log.held_s == {"LOCK INSTANCE FOR BACKUP": 1.0}


@pytest.mark.parametrize(
    ("last", "said", "reason"),
    [
        (
            "[00] 2026-11-25 16:12:44 Error: failed to execute query BACKUP STAGE END: Lost connection to server",
            "Lost connection to server",
            "connect_failed",
        ),
        (
            "[00] 2026-11-25 16:12:44 Error writing file '/t/x' (Errcode: 28 \"No space left on device\")",
            "No space left",
            "no_space",
        ),
        (
            "[00] FATAL ERROR: 2026-11-25 16:12:44 Access denied; you need RELOAD",
            "RELOAD",
            "no_permission",
        ),
        ("[01] 2026-11-25 16:12:44 Streaming ibdata1", "Streaming ibdata1", ""),
    ],
)
def test_without_its_last_word_nothing_succeeded(last: str, said: str, reason: str) -> None:
    log = hear("\n".join(SAID.splitlines()[:3]) + "\n" + last)
    with pytest.raises(ToolFailed, match="did not say that it had completed") as failed:
        log.check()
    assert said in failed.value.message
    assert failed.value.reason == reason


def test_a_program_that_said_nothing() -> None:
    with pytest.raises(ToolFailed, match="it said nothing"):
        CopyLog(MARIADB).check()


def test_the_last_word_in_the_middle_is_none() -> None:
    with pytest.raises(ToolFailed, match="and more"):
        hear(SAID + "[00] 2026-11-25 16:12:45 and more\n").check()


def test_words_that_tell_nothing_about_the_place() -> None:
    assert reason_of("Database page corruption detected at page 5") == ""
