"""The plan: what is saved is what is carried out, and what differs is said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.errors import ConfigError, InputError
from dbops.plan import (
    REFERENCE_SCHEMES,
    Call,
    Command,
    Filter,
    FromRepository,
    FromServer,
    Hold,
    Need,
    Opening,
    Plan,
    Probe,
    Ref,
    Risk,
    Seal,
    SecretRef,
    Sql,
    Step,
    ToCommand,
    ToDirectory,
    ToFile,
    Together,
    ToNowhere,
    ToRepository,
    Transfer,
    Value,
    Wait,
    WriteFile,
    difference,
    dump_plan,
    load_plan,
    render_text,
    walk,
)

NOW = datetime(2026, 1, 31, 3, tzinfo=UTC)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
secrets = st.builds(lambda scheme, rest: SecretRef(f"{scheme}:{rest}"), st.sampled_from(REFERENCE_SCHEMES), words)
refs = st.builds(Ref, words, words)
seals = st.builds(Seal, seal=words, secret=secrets, name=words)
fragments = st.lists(st.one_of(texts, seals, refs), max_size=3).map(tuple)
integers = st.integers(-(2**53), 2**53)
values = st.one_of(texts, integers, st.booleans(), refs, secrets)
arguments = st.dictionaries(words, values, max_size=3)
paths = st.one_of(words, refs)
argv = st.lists(st.one_of(texts, refs), min_size=1, max_size=3).map(tuple)
seconds = st.one_of(st.integers(0, 10_000), st.floats(0, 1e6, allow_nan=False))
filters = st.lists(st.builds(Filter, name=words, options=st.dictionaries(words, texts, max_size=2)), max_size=2).map(
    tuple
)
sources = st.one_of(
    st.builds(FromServer, stream=words, arguments=arguments, endpoint=words),
    st.builds(FromRepository, repository=words, backup=words, artifact=words, sha256=words),
)
sinks = st.one_of(
    st.builds(ToRepository, repository=words, backup=words, artifact=texts),
    st.builds(ToDirectory, path=paths),
    st.builds(ToFile, path=paths),
    st.builds(ToCommand, argv=argv, env=arguments),
    st.builds(ToNowhere),
)
needs = st.lists(
    st.builds(Need, kind=st.sampled_from(["right", "tool", "space", "setting"]), name=words, fix=texts), max_size=2
).map(tuple)
common = {
    "summary": words,
    "risk": st.sampled_from(Risk),
    "undo": texts,
    "needs": needs,
    "idempotent": st.booleans(),
}
ID = st.just("to be numbered")
leaves = st.one_of(
    st.builds(
        Sql,
        id=ID,
        statement=fragments,
        database=st.none() | words,
        transaction=st.none() | words,
        endpoint=words,
        **common,
    ),
    st.builds(
        Command,
        id=ID,
        argv=argv,
        env=arguments,
        ok=st.lists(st.integers(0, 255), max_size=2).map(tuple),
        deadline_s=st.none() | seconds,
        endpoint=st.none() | words,
        **common,
    ),
    st.builds(
        WriteFile, id=ID, path=paths, content=fragments, mode=st.integers(0, 0o777), append=st.booleans(), **common
    ),
    st.builds(Transfer, id=ID, source=sources, sink=sinks, filters=filters, **common),
    st.builds(Call, id=ID, provider=words, operation=words, arguments=arguments, endpoint=words, **common),
    st.builds(
        Wait,
        id=ID,
        probe=st.builds(Probe, what=words, arguments=arguments, endpoint=words),
        deadline_s=seconds,
        every_s=seconds,
        **common,
    ),
)


def containers(inner: st.SearchStrategy[Step]) -> st.SearchStrategy[Step]:
    steps = st.lists(inner, max_size=3).map(tuple)
    return st.one_of(
        st.builds(Together, id=ID, steps=steps, limit=st.integers(1, 8), **common),
        st.builds(
            Hold,
            id=ID,
            opening=st.builds(Opening, what=words, arguments=arguments, endpoint=words),
            steps=steps,
            close=texts,
            **common,
        ),
    )


def numbered(steps: tuple[Step, ...], prefix: str = "s") -> tuple[Step, ...]:
    """The same steps with ids that differ from each other."""
    found: list[Step] = []
    for number, step in enumerate(steps):
        name = f"{prefix}{number}"
        more = {"steps": numbered(step.steps, f"{name}.")} if isinstance(step, Together | Hold) else {}
        found.append(msgspec.structs.replace(step, id=name, **more))
    return tuple(found)


step_trees = st.lists(st.recursive(leaves, containers, max_leaves=4), max_size=4).map(
    lambda found: numbered(tuple(found))
)
instants = st.integers(0, 4_102_444_800).map(lambda second: datetime.fromtimestamp(second, UTC))
json_values = st.recursive(
    st.none() | st.booleans() | integers | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
)
plans = st.builds(
    Plan,
    noun=words,
    target=words,
    engine=words,
    created_at=instants,
    steps=step_trees,
    inputs=st.dictionaries(words, json_values, max_size=2),
    notes=st.lists(texts, max_size=2).map(tuple),
)


def plan(*steps: Step, target: str = "shop") -> Plan:
    return Plan(noun="users.apply", target=target, engine="postgresql", created_at=NOW, steps=steps)


def sql(step_id: str, statement: str = "SELECT 1", **more: object) -> Sql:
    parts: dict[str, object] = {"summary": f"do {step_id}", "risk": Risk.WRITE, **more}
    return Sql(id=step_id, statement=(statement,), **parts)  # type: ignore[arg-type]  # the parts vary by test


# What is saved


@given(plans)
def test_a_saved_plan_comes_back_with_its_digest(made: Plan) -> None:
    again = load_plan(dump_plan(made))
    assert again == made
    assert again.digest == made.digest
    assert dump_plan(again) == dump_plan(made)


@given(plans, instants)
def test_the_digest_ignores_when_and_from_what_it_was_made(made: Plan, then: datetime) -> None:
    other = msgspec.structs.replace(made, created_at=then, inputs={"another": 1}, notes=("another",))
    assert other.digest == made.digest


@given(plans, words)
def test_the_digest_knows_the_server(made: Plan, word: str) -> None:
    for part in ("noun", "target", "engine"):
        other = msgspec.structs.replace(made, **{part: getattr(made, part) + word})
        assert other.digest != made.digest


def test_a_whole_number_of_seconds_is_the_same_number_after_reading_it_back() -> None:
    wait = Wait(id="w", summary="wait", risk=Risk.READ, probe=Probe(what="ready"), deadline_s=30)
    assert load_plan(dump_plan(plan(wait))).digest == plan(wait).digest


def test_the_order_of_arguments_is_no_difference() -> None:
    one = Call(id="c", summary="call", risk=Risk.READ, provider="p", operation="o", arguments={"a": 1, "b": 2})
    two = msgspec.structs.replace(one, arguments={"b": 2, "a": 1})
    assert plan(one).digest == plan(two).digest
    assert difference(plan(one), plan(two)) == ()


def test_the_format_is_json_that_ends_its_line() -> None:
    text = dump_plan(plan(sql("a")))
    assert text.endswith(b"}\n")
    assert msgspec.json.decode(text)["schema"] == "dbops.plan/1"


# What is read


def test_something_that_is_not_json_is_refused_by_its_name() -> None:
    with pytest.raises(InputError, match=r"apply\.json: not JSON") as caught:
        load_plan(b"\x80 no", "apply.json")
    assert caught.value.code == 65
    assert "-o option" in caught.value.hint


def test_a_newer_format_is_refused_and_the_known_one_named() -> None:
    text = dump_plan(plan(sql("a"))).replace(b"dbops.plan/1", b"dbops.plan/9")
    with pytest.raises(InputError, match="not a plan that this dbops can carry out") as caught:
        load_plan(text)
    assert "dbops.plan/1" in caught.value.hint


def test_an_unknown_kind_of_step_is_refused_where_it_stands() -> None:
    text = dump_plan(plan(sql("a"))).replace(b'"sql"', b'"telepathy"')
    with pytest.raises(InputError, match=r"telepathy.*steps\[0\]"):
        load_plan(text)


@pytest.mark.parametrize("where", ["beside", "inside"])
def test_two_steps_of_one_name_are_refused(where: str) -> None:
    twin = sql("twin")
    group = Together(id="g", summary="both", risk=Risk.WRITE, steps=(twin,))
    steps = (twin, twin) if where == "beside" else (twin, group)
    with pytest.raises(InputError, match="two steps are called 'twin'"):
        load_plan(dump_plan(plan(*steps)))


# What a person reads


def test_walking_meets_containers_before_their_content() -> None:
    inner = Together(id="t", summary="t", risk=Risk.READ, steps=(sql("b"), sql("c")))
    held = Hold(id="h", summary="h", risk=Risk.READ, opening=Opening(what="lock"), steps=(sql("a"), inner))
    assert [step.id for step in walk((held, sql("z")))] == ["h", "a", "t", "b", "c", "z"]


@pytest.mark.parametrize(
    ("risks", "worst"),
    [
        ([], Risk.READ),
        ([Risk.READ, Risk.WRITE], Risk.WRITE),
        ([Risk.DESTRUCTIVE, Risk.READ], Risk.DESTRUCTIVE),
    ],
)
def test_the_risk_is_the_worst_of_all_steps(risks: list[Risk], worst: Risk) -> None:
    steps = [sql(str(number), risk=risk) for number, risk in enumerate(risks)]
    group = Together(id="g", summary="g", risk=Risk.READ, steps=tuple(steps))
    assert plan(group).risk is worst


def test_a_plan_as_text() -> None:
    sealed = Sql(
        id="p",
        summary="set the password of alice",
        risk=Risk.WRITE,
        undo="not possible",
        statement=("ALTER ROLE alice PASSWORD ", Seal(seal="scram", secret=SecretRef("env:ALICE"), name="alice")),
    )
    tool = Command(id="c", summary="look", risk=Risk.READ, argv=("ls", Ref("scratch", "path")))
    copy = Transfer(
        id="t",
        summary="dump shop",
        risk=Risk.READ,
        source=FromServer(stream="dump"),
        sink=ToRepository(repository="main", backup="b-1", artifact="shop"),
    )
    held = Hold(id="h", summary="hold a snapshot", risk=Risk.READ, opening=Opening(what="snapshot"), steps=(copy, tool))
    noted = msgspec.structs.replace(plan(sealed, held), notes=("mind the gap",))
    assert render_text(noted).splitlines() == [
        "users.apply for shop (postgresql): 2 steps, risk write",
        "note: mind the gap",
        "1. set the password of alice  [write]",
        "     ALTER ROLE alice PASSWORD '***' /* env:ALICE */",
        "     undo: not possible",
        "2. hold a snapshot  [read]",
        "   - dump shop  [read]",
        "   - look  [read]",
        "        ls <scratch.path>",
    ]


def test_the_statement_that_a_call_runs_is_shown() -> None:
    def call(statement: str) -> Call:
        arguments: dict[str, Value] = {"sql": statement, "database": "shop"}
        return Call(id="c", summary="do c", risk=Risk.WRITE, provider="backend", operation="run", arguments=arguments)

    assert render_text(plan(call("DROP USER x"))).splitlines()[1:] == ["1. do c  [write]", "     DROP USER x"]
    assert difference(plan(call("DROP USER x")), plan(call("DROP USER y"))) == (
        "- do c: DROP USER x",
        "+ do c: DROP USER y",
    )


# How two plans differ


@given(plans, plans)
def test_there_is_a_difference_exactly_when_the_digests_differ(one: Plan, two: Plan) -> None:
    assert (difference(one, two) == ()) == (one.digest == two.digest)
    assert difference(one, one) == ()


@given(plans, st.data())
def test_a_difference_shows_something_that_differs(one: Plan, data: st.DataObject) -> None:
    two = msgspec.structs.replace(one, steps=data.draw(step_trees))
    lines = difference(one, two)
    gone = {line[2:] for line in lines if line.startswith("- ")}
    come = {line[2:] for line in lines if line.startswith("+ ")}
    assert not gone & come


def test_what_is_gone_and_what_has_come() -> None:
    old, new = plan(sql("a", "DROP ROLE x"), sql("b")), plan(sql("b"), sql("a", "DROP ROLE y"))
    assert difference(old, new) == ("- do a: DROP ROLE x", "+ do a: DROP ROLE y")


def test_another_order_or_target_is_a_difference() -> None:
    old = plan(sql("a"), sql("b"))
    for new in (plan(sql("b"), sql("a")), plan(sql("a"), sql("b"), target="other")):
        assert difference(old, new) == ("the same steps in another order, or for another target",)


def test_a_change_deep_inside_is_shown_where_it_is() -> None:
    def held(statement: str) -> Plan:
        group = Together(id="g", summary="side by side", risk=Risk.WRITE, steps=(sql("a", statement), sql("b")))
        return plan(Hold(id="h", summary="lock", risk=Risk.WRITE, opening=Opening(what="lock"), steps=(group,)))

    assert difference(held("GRANT x"), held("GRANT y")) == ("- do a: GRANT x", "+ do a: GRANT y")


def test_a_change_that_the_text_does_not_show_is_named() -> None:
    def delete(digest: str) -> Plan:
        return plan(
            Call(
                id="c",
                summary="delete b-1",
                risk=Risk.DESTRUCTIVE,
                provider="repository",
                operation="delete",
                arguments={"backup": "b-1", "digest": digest},
            )
        )

    [gone, come] = difference(delete("aaaa"), delete("bbbb"))
    assert "aaaa" in gone
    assert "bbbb" in come


# References to secrets


@pytest.mark.parametrize(
    "text", ["env:SHOP", "file:/run/x", "cmd:pass show x", "keyring:a/b", "aws-secretsmanager:x#y"]
)
def test_a_reference_to_a_secret(text: str) -> None:
    assert str(SecretRef.parse(text)) == text


@pytest.mark.parametrize("text", ["hunter2", "", "env:", "literal:0", "https://x", "ENV:X"])
def test_anything_else_may_be_the_password_and_is_not_repeated(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        SecretRef.parse(text, "dbops.toml: targets.shop.password")
    said = str(caught.value)
    assert said.startswith("dbops.toml: targets.shop.password: this is not a reference to a secret")
    assert "env:NAME" in caught.value.hint
    assert not text or text not in said.replace("env:NAME", "")


def test_times_keep_their_instant() -> None:
    there = timezone(timedelta(hours=5, minutes=30))
    made = msgspec.structs.replace(plan(), created_at=NOW.astimezone(there))
    assert load_plan(dump_plan(made)).created_at == NOW


def test_the_same_steps_for_another_server_are_another_plan() -> None:
    here = Plan(noun="users.apply", target="shop", engine="toy", created_at=NOW, steps=(), incarnation="7001")
    there = msgspec.structs.replace(here, incarnation="7002")
    assert here.digest != there.digest
    assert difference(here, there) == ("! this is another server: 7002, not 7001",)
