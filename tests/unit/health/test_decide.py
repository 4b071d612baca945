"""The laws of judging: nothing unknown turns into OK, nothing accepted hides anything else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.health.answers import Answers, Unanswered
from dbops.health.decide import coverage, fits, judge, observe, skipped, worst
from dbops.model.finding import Missing, Remedy
from dbops.model.health import (
    Answer,
    Check,
    CheckResult,
    HealthFacts,
    Observation,
    Status,
    Threshold,
    WaiverRule,
)
from dbops.model.server import Server

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
CHECK = Check(
    id="x.check",
    title="A check",
    engine="x",
    unit="percent",
    needs=("q",),
    threshold=Threshold(warning=70, critical=90),
    privilege="a right",
    grants=("GRANT a TO b;",),
    remedy=Remedy(text="do it", sql="DO;", risk="locks"),
)
SERVER = Server(engine="x", version=(15, 1), version_text="15.1", role="primary", incarnation="i")
REASONS = ("no_permission", "hidden_rows", "timeout", "null_value")

finite = st.floats(allow_nan=False, allow_infinity=False, width=32)
missing = st.builds(Missing, st.sampled_from(REASONS), st.text(max_size=5))
observations = st.builds(
    Observation,
    summary=st.text(max_size=10),
    object=st.sampled_from(["", "table:a", "table:b", "table:c"]),
    value=st.none() | finite,
    state=st.none() | st.sampled_from([Status.OK, Status.WARNING, Status.CRITICAL]),
    missing=st.none() | missing,
)


def seen(value: float | None = None, name: str = "", **rest: object) -> Observation:
    return Observation(summary=f"saw {value}", object=name, value=value, **rest)  # type: ignore[arg-type]  # by test


def judged(*found: Observation, rules: Sequence[WaiverRule] = (), check: Check = CHECK) -> CheckResult:
    return judge(check, found, rules, NOW)


@given(st.lists(observations, max_size=6), missing)
def test_with_anything_missing_the_answer_is_never_ok(found: list[Observation], why: Missing) -> None:
    unknown = Observation(summary="?", missing=why, object="table:z")
    assert judge(CHECK, [*found, unknown], (), NOW).status in (Status.UNKNOWN, Status.WARNING, Status.CRITICAL)


@given(st.lists(observations, min_size=1, max_size=6), st.sampled_from(["table:a", "table:b"]))
def test_accepting_one_object_hides_no_other(found: list[Observation], accepted: str) -> None:
    rule = WaiverRule(id="x.check", reason="known", fingerprint=f"x.check@{accepted}")
    others = [one for one in found if one.object != accepted]
    whole = judge(CHECK, found, [rule], NOW).status
    without = judge(CHECK, others, (), NOW).status if others else Status.OK
    assert worst([whole]) == worst([without])


@given(finite, finite, finite)
def test_a_worse_value_never_gives_a_better_answer(a: float, b: float, limit: float) -> None:
    check = msgspec.structs.replace(CHECK, threshold=Threshold(warning=limit, critical=limit + 1))
    low, high = judged(seen(min(a, b)), check=check).status, judged(seen(max(a, b)), check=check).status
    order = [Status.OK, Status.WARNING, Status.CRITICAL]
    assert order.index(low) <= order.index(high)


@given(finite, st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_stricter_threshold_never_gives_a_better_answer(value: float, limit: float, less: float) -> None:
    loose = msgspec.structs.replace(CHECK, threshold=Threshold(warning=limit))
    strict = msgspec.structs.replace(CHECK, threshold=Threshold(warning=limit - less))
    if judged(seen(value), check=loose).status is Status.WARNING:
        assert judged(seen(value), check=strict).status is Status.WARNING


@given(st.lists(observations, max_size=8))
def test_the_order_of_objects_does_not_matter(found: list[Observation]) -> None:
    one, other = judge(CHECK, found, (), NOW), judge(CHECK, found[::-1], (), NOW)
    assert (one.status, one.affected, one.objects) == (other.status, other.affected, other.objects)


@pytest.mark.parametrize(
    ("value", "status"),
    [(69.9, Status.OK), (70, Status.WARNING), (90, Status.CRITICAL), (float("nan"), Status.UNKNOWN)],
)
def test_values_are_judged_at_the_threshold(value: float, status: Status) -> None:
    assert judged(seen(value)).status is status


def test_low_can_be_bad() -> None:
    check = msgspec.structs.replace(CHECK, threshold=Threshold(warning=180, critical=0, low_bad=True))
    assert [judged(seen(days), check=check).status for days in (181, 180, 1, 0, -5)] == [
        Status.OK, Status.WARNING, Status.WARNING, Status.CRITICAL, Status.CRITICAL,
    ]  # fmt: skip
    assert judged(seen(100), seen(20), check=check).value == 20


def test_no_observation_is_unknown() -> None:
    result = judged()
    assert (result.status, result.reason) == (Status.UNKNOWN, "no_rows")


def test_an_observation_without_value_or_state_is_unknown() -> None:
    assert judged(seen()).status is Status.UNKNOWN


def test_the_state_and_the_value_both_count() -> None:
    assert judged(seen(10, state=Status.CRITICAL)).status is Status.CRITICAL
    assert judged(seen(95, state=Status.OK)).status is Status.CRITICAL


def test_a_missing_fact_can_be_worse_than_unknown_but_never_better() -> None:
    why = Missing("connect_failed", "refused")
    assert judged(seen(missing=why, state=Status.CRITICAL)).status is Status.CRITICAL
    assert judged(seen(missing=why, state=Status.CRITICAL)).reason == "connect_failed"
    assert judged(seen(missing=why, state=Status.OK)).status is Status.UNKNOWN
    assert judged(seen(missing=why, state=Status.SKIPPED)).status is Status.SKIPPED


def test_the_worst_object_speaks_and_the_others_are_counted() -> None:
    result = judged(seen(10, "table:a"), seen(80, "table:b"), seen(95, "table:c"), seen(99, "table:d"))
    assert result.status is Status.CRITICAL
    assert (result.value, result.objects, result.affected) == (99, 4, 3)
    assert result.summary == "table:d: saw 99 (and 2 more)"
    assert [row["object"] for row in result.evidence] == ["table:d", "table:c", "table:b"]


def test_when_all_is_well_the_object_nearest_to_the_threshold_is_the_evidence() -> None:
    result = judged(seen(10, "table:a"), seen(60, "table:b"))
    assert result.status is Status.OK
    assert [row["object"] for row in result.evidence] == ["table:b"]
    assert result.remedy is None


def test_a_finding_beside_an_unknown_is_the_finding() -> None:
    result = judged(seen(80, "table:a"), seen(missing=Missing("timeout"), name="table:b"))
    assert result.status is Status.WARNING
    assert result.affected == 2


def test_the_remedy_takes_the_statements_of_the_objects() -> None:
    result = judged(seen(95, "table:a", sql="FIX a;"), seen(96, "table:b", sql="FIX b;"))
    assert result.remedy == Remedy(text="do it", sql="FIX b;\nFIX a;", risk="locks")
    assert judged(seen(95)).remedy == CHECK.remedy


def test_what_a_right_would_help_is_told() -> None:
    result = judged(seen(missing=Missing("no_permission", "no SELECT")))
    assert result.summary == "saw None: no SELECT"
    assert result.remedy == Remedy(text="The login needs a right.", sql="GRANT a TO b;")
    exact = judged(seen(missing=Missing("no_permission"), sql="GRANT c TO d;"))
    assert exact.remedy is not None
    assert exact.remedy.sql == "GRANT c TO d;"
    assert judged(seen(missing=Missing("timeout"))).remedy is None


def test_evidence_is_bounded() -> None:
    assert len(judged(*(seen(95, f"table:{number}") for number in range(200))).evidence) == 50


def test_a_waiver_shows_and_says_why() -> None:
    rule = WaiverRule(id="x.*", reason="moving in June", by="ann", until=NOW + timedelta(days=1))
    result = judged(seen(95), seen(1, "table:a"), rules=[rule])
    assert result.status is Status.WAIVED
    assert result.waived is not None
    assert (result.waived.reason, result.waived.by) == ("moving in June", "ann")
    assert result.evidence[0]["waived"] == "moving in June"
    assert judged(seen(10), rules=[rule]).status is Status.OK


def test_an_expired_waiver_accepts_nothing() -> None:
    assert judged(seen(95), rules=[WaiverRule(id="*", reason="old", until=NOW)]).status is Status.CRITICAL


def test_a_waiver_of_another_check_accepts_nothing() -> None:
    assert judged(seen(95), rules=[WaiverRule(id="x.chec", reason="r")]).status is Status.CRITICAL
    assert judged(seen(95), rules=[WaiverRule(id="x?check", reason="r")]).status is Status.CRITICAL


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([], Status.UNKNOWN),
        ([Status.SKIPPED], Status.UNKNOWN),
        ([Status.OK, Status.SKIPPED], Status.OK),
        ([Status.WAIVED, Status.SKIPPED], Status.OK),
        ([Status.OK, Status.UNKNOWN], Status.UNKNOWN),
        ([Status.UNKNOWN, Status.WARNING], Status.WARNING),
        ([Status.WARNING, Status.CRITICAL, Status.UNKNOWN], Status.CRITICAL),
    ],
)
def test_the_worst_of_several(statuses: list[Status], expected: Status) -> None:
    assert worst(statuses) is expected


def test_coverage_is_the_share_that_gave_an_answer() -> None:
    unknown = judged(seen(missing=Missing("timeout")))
    off = skipped(CHECK, Missing("feature_off"))
    accepted = judged(seen(95), rules=[WaiverRule(id="*", reason="r")])
    accepted_unknown = judged(seen(missing=Missing("timeout")), rules=[WaiverRule(id="*", reason="r")])
    assert coverage([judged(seen(1)), unknown, off]) == 0.5
    assert coverage([accepted, accepted_unknown]) == 0.5
    assert coverage([off]) == 0.0


def test_a_check_is_skipped_where_it_makes_no_sense() -> None:
    standby = msgspec.structs.replace(SERVER, role="standby")
    primary_only = msgspec.structs.replace(CHECK, roles=("primary",))
    assert fits(primary_only, SERVER) is None
    assert fits(primary_only, standby) == Missing("not_applicable", "does not apply to a standby")
    assert fits(primary_only, msgspec.structs.replace(SERVER, role="unknown")) is None
    for limits in ({"since": (16,)}, {"since": (15, 19)}, {"until": (14,)}, {"until": (15, 0)}):
        found = fits(msgspec.structs.replace(CHECK, **limits), SERVER)
        assert found == Missing("not_supported_version", "does not apply to version 15.1")
    assert fits(msgspec.structs.replace(CHECK, since=(15,), until=(15,)), SERVER) is None


def facts(**answers: Answer | Missing) -> HealthFacts:
    return HealthFacts(server=dict(answers))


def well(_answers: Answers) -> list[Observation]:
    return [seen(1)]


@given(missing)
def test_a_measuring_function_that_ignores_a_missing_fact_does_not_make_it_ok(why: Missing) -> None:
    result = judge(CHECK, observe(CHECK, facts(q=why), well), (), NOW)
    assert (result.status, result.reason) == (Status.UNKNOWN, why.reason)


def test_a_question_that_was_never_asked_is_missing() -> None:
    assert [one.missing for one in observe(CHECK, facts(), well)][1:] == [Missing("not_asked", "q was not asked")]


def test_what_was_seen_before_the_end_counts() -> None:
    def measure(_answers: Answers) -> Sequence[Observation]:
        def walk() -> object:
            yield seen(95, "table:a")
            raise Unanswered(Missing("null_value"))

        return walk()  # type: ignore[return-value]  # a generator, as measuring functions are

    found = observe(CHECK, facts(q=Answer(rows=())), measure)
    assert [one.object for one in found] == ["table:a", ""]
    assert judge(CHECK, found, (), NOW).status is Status.CRITICAL


def test_a_check_that_does_not_apply_needs_no_facts() -> None:
    def measure(_answers: Answers) -> list[Observation]:
        return [seen(missing=Missing("feature_off"), state=Status.SKIPPED)]

    result = judge(CHECK, observe(CHECK, facts(q=Missing("no_permission")), measure), (), NOW)
    assert (result.status, result.reason) == (Status.SKIPPED, "feature_off")


def test_databases_are_measured_one_by_one() -> None:
    check = msgspec.structs.replace(CHECK, scope="database")
    found = HealthFacts(
        server={"s": Answer(rows=())},
        databases={"b": {"q": Answer(rows=())}, "a": {"q": Missing("lock_timeout", "locked")}},
    )

    def measure(answers: Answers) -> list[Observation]:
        assert answers.missing("s") is None
        return [seen(1, f"database:{answers.database}")] if answers.missing("q") is None else []

    results = observe(check, found, measure)
    assert [(one.object, one.missing) for one in results] == [
        ("database:a", Missing("lock_timeout", "locked")), ("database:b", None),
    ]  # fmt: skip


def test_databases_that_are_not_known_are_unknown() -> None:
    check = msgspec.structs.replace(CHECK, scope="database")
    why = Missing("timeout", "late")
    assert [one.missing for one in observe(check, HealthFacts(databases_missing=why), well)] == [why]
