"""Thresholds that somebody set instead."""

from __future__ import annotations

import msgspec
import pytest

from dbops.errors import ConfigError, UsageError
from dbops.health.catalogue import BACKUP_AGE, BACKUP_PROOF, choose, known, protection_checks
from dbops.health.thresholds import overridden
from dbops.model.health import Threshold

CHECKS = (BACKUP_AGE, BACKUP_PROOF)
WHERE = "dbops.toml: targets.shop.health.thresholds"


def test_they_replace_what_they_name_and_nothing_else() -> None:
    age, proof = overridden(CHECKS, {"backup.age": {"critical": 1e9}}, WHERE)
    assert age.threshold == Threshold(warning=BACKUP_AGE.threshold.warning, critical=1e9)
    assert age.source == WHERE
    assert proof is BACKUP_PROOF


@pytest.mark.parametrize(
    ("overrides", "message", "hint"),
    [
        ({"backup.aeg": {"warning": 1.0}}, f"{WHERE}: unknown key 'backup.aeg'", "Did you mean 'backup.age'?"),
        ({"zzz": {"warning": 1.0}}, f"{WHERE}: unknown key 'zzz'", "Known: backup.age, backup.proof."),
        ({"backup.age": {"warn": 1.0}}, f"{WHERE}.'backup.age': unknown key 'warn'", "Did you mean 'warning'?"),
        (
            {"backup.age": {"warning": 9.0, "critical": 5.0}},
            f"{WHERE}.'backup.age': the warning at 9 would come after critical at 5",
            "A warning threshold lies below the critical one here; set both.",
        ),
    ],
)
def test_what_is_wrong_is_named(overrides: dict[str, dict[str, float]], message: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        overridden(CHECKS, overrides, WHERE)
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_where_low_is_bad_the_order_is_the_other_way_round() -> None:
    check = msgspec.structs.replace(BACKUP_AGE, threshold=Threshold(warning=9, critical=1, low_bad=True))
    assert overridden([check], {"backup.age": {"warning": 5}}, WHERE)[0].threshold.warning == 5
    with pytest.raises(ConfigError, match="the warning at 0 would come after critical at 1") as caught:
        overridden([check], {"backup.age": {"warning": 0}}, WHERE)
    assert "above" in caught.value.hint


def test_a_check_may_have_one_threshold_alone() -> None:
    check = msgspec.structs.replace(BACKUP_AGE, threshold=Threshold())
    assert overridden([check], {"backup.age": {"warning": 5}}, WHERE)[0].threshold == Threshold(warning=5)


def test_objectives_become_thresholds() -> None:
    age, proof = protection_checks(900, 7 * 86_400)
    assert age.threshold == Threshold(warning=675, critical=900)
    assert proof.threshold.critical == 7 * 86_400
    assert protection_checks(None, None) == (BACKUP_AGE, BACKUP_PROOF)


def test_choosing_by_pattern() -> None:
    assert choose(CHECKS) == CHECKS
    assert choose(CHECKS, only=["*.proof"]) == (BACKUP_PROOF,)
    assert choose(CHECKS, skip=["backup.p*"]) == (BACKUP_AGE,)
    assert choose(CHECKS, only=["backup.*"], skip=["*"]) == ()


def test_a_word_that_fits_no_check_is_named() -> None:
    known(CHECKS, ["backup.*", "backup.age"])
    with pytest.raises(UsageError, match=r"there is no check 'backup\.prof'") as caught:
        known(CHECKS, ["backup.prof"])
    assert caught.value.hint == "Did you mean backup.proof?"
    with pytest.raises(UsageError) as caught:
        known(CHECKS, ["zzz"])
    assert caught.value.hint == "See: dbops health list."
