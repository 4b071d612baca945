"""What the doctor and the list say of the configured jobs."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dbops.config import parse
from dbops.errors import UsageError
from dbops.jobs import agenda
from dbops.model.doctor import Standing
from dbops.operations.workspace import Workspace

TOML = """
[targets.shop]
url = "postgresql://dbops@db1/shop"
labels = { env = "prod" }

[jobs.nightly]
do = "backup"
targets = "label:env=prod"
at = "15 2 * * *"
timezone = "Europe/Berlin"

[jobs.weekly]
do = "verify"
targets = ["shop"]
at = "30 4 * * sun"
notify = ["ops"]
"""
NIGHT = datetime(2026, 1, 31, 2, 20, tzinfo=UTC)


def workspace(toml: str = TOML) -> Workspace:
    return Workspace(parse(toml, "dbops.toml"), clock=lambda: NIGHT)


def test_a_sound_job_says_what_it_does_and_when() -> None:
    nightly, weekly = agenda.examine(workspace())
    assert (nightly.subject, nightly.area, nightly.standing) == ("job nightly", "jobs", Standing.OK)
    assert nightly.summary == "backup of 1 targets, next 2026-02-01 01:15 UTC"
    assert weekly.summary == "verify of 1 targets, next 2026-02-01 04:30 UTC"


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ('at = "15 2 * * *"', 'at = "often"', "jobs.nightly.at: 'often' has 1 fields and not five"),
        ("Europe/Berlin", "Mars/Base", "jobs.nightly.timezone: there is no time zone 'Mars/Base'"),
        ("label:env=prod", "label:env=none", "env=none"),
    ],
)
def test_an_unsound_job_is_a_problem_and_hides_no_other(right: str, wrong: str, said: str) -> None:
    nightly, weekly = agenda.examine(workspace(TOML.replace(right, wrong, 1)))
    assert (nightly.subject, nightly.standing) == ("job nightly", Standing.PROBLEM)
    assert said in nightly.summary
    assert weekly.standing is Standing.OK


def test_without_jobs_there_is_nothing_to_say() -> None:
    assert agenda.examine(workspace("")) == ()


def test_a_job_that_is_not_there_is_named_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"there is no job 'nightley' in dbops\.toml") as raised:
        agenda.find(workspace(), "nightley")
    assert "nightly" in raised.value.hint
    assert agenda.find(workspace(), "weekly").do == "verify"


def test_what_is_asked_for_and_not_done_is_noted() -> None:
    jobs = workspace().config.jobs
    assert agenda.notes(jobs["nightly"]) == ()
    assert agenda.notes(jobs["weekly"]) == (agenda.NOT_SENT,)
