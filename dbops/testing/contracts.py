"""The laws of a backend that need no server. Its author writes, in a test module::

    class TestMine(OfflineLaws):
        backend = backend
        servers = (a new one, an old one, a standby, a managed one)

and overrides the samples that its engine has: ``changes``, ``backups``. What is expected follows from ``support``: a
capability that is not there must be refused before anything is read.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import NoReturn, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dbops import registry
from dbops.capabilities import Capability, Impossible, NotImplementedYet, Since
from dbops.config import Config, Target
from dbops.errors import DbopsError, Unsupported
from dbops.model.backup import Custody, Until
from dbops.model.server import Endpoint, Server, within
from dbops.operations import access, users
from dbops.operations.workspace import Opened, Workspace
from dbops.plan import (
    Call,
    FromRepository,
    FromServer,
    Hold,
    Plan,
    Risk,
    Seal,
    Sql,
    Step,
    ToRepository,
    Transfer,
    Wait,
    dump_plan,
    load_plan,
)
from dbops.plan import walk as every_step
from dbops.secrets import Secrets
from dbops.spi import API_VERSION, Backend, Doors, Reader
from dbops.testing.outside import nothing_outside
from dbops.testing.samples import SECRET, BackupSample, Samples
from dbops.testing.shape import HARMLESS, HOSTILE, shape, words_in

__all__ = ["SECRET", "BackupSample", "OfflineLaws"]

VALUE = "hunter2-of-the-law"
NOW = datetime(2026, 1, 31, 3, tzinfo=UTC)
REASONS = {
    "auth_failed",
    "concurrent_update",
    "connect_failed",
    "deadlock",
    "lock_timeout",
    "no_permission",
    "not_supported_version",
    "query_failed",
    "serialization_failure",
    "timeout",
    "too_many_connections",
    "unknown_database",
}
letters = st.one_of(st.sampled_from("\"'`[]\\%$;:.-/*{} aé"), st.characters(exclude_categories=["Cs", "Cc"]))
names = st.text(letters, min_size=1, max_size=15)


class OfflineLaws(Samples):
    """Subclass it under a name that starts with ``Test``."""

    @pytest.fixture(autouse=True)
    def _secret(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DBOPS_LAW_SECRET", VALUE)

    # Itself

    def test_it_speaks_this_plugin_api(self) -> None:
        assert self.backend.api_version == API_VERSION

    def test_it_is_registered_under_its_name(self) -> None:
        assert registry.backend(self.backend.name) is self.backend
        assert self.backend.name.isidentifier()
        assert self.backend.label
        assert registry.for_scheme(self.backend.url_schemes[0]) is self.backend

    def test_servers_of_the_samples_are_its_own(self) -> None:
        assert self.servers
        assert {server.engine for server in self.servers} == {self.backend.name}

    # Total

    @pytest.mark.parametrize("capability", Capability)
    def test_total(self, capability: Capability) -> None:
        for server in (None, *self.servers):
            answer = self.backend.support(capability, server)
            if isinstance(answer, NotImplementedYet | Impossible):
                assert answer.reason, "a no has a reason"
            else:
                assert not isinstance(answer, Since) or answer.version

    @pytest.mark.parametrize("capability", Capability)
    def test_a_server_can_no_more_than_its_engine(self, capability: Capability) -> None:
        if not self.can(capability, None):
            assert not any(self.can(capability, server) for server in self.servers)

    # Honest

    @pytest.mark.parametrize("capability", [Capability.ACCESS_INSPECT, Capability.USERS_APPLY, Capability.USERS_ROTATE])
    def test_what_is_unsupported_raises_before_any_read(self, capability: Capability) -> None:
        for server in self.servers:
            answer = self.backend.support(capability, server)
            if isinstance(answer, NotImplementedYet | Impossible):
                with pytest.raises(Unsupported) as caught:
                    _ask_for(capability, _Paper(self.backend, server))
                assert capability.value in caught.value.message
                assert answer.reason in caught.value.message

    def test_methods_of_backup_are_those_that_are_supported(self) -> None:
        needs = {
            "logical": Capability.BACKUP_LOGICAL,
            "physical": Capability.BACKUP_PHYSICAL,
            "log": Capability.BACKUP_LOGS,
        }
        for server in self.servers:
            kinds = {method.kind for method in self.methods(server)}
            assert kinds == {kind for kind, one in needs.items() if self.can(one, server)}

    def test_there_are_samples_of_what_is_supported(self) -> None:
        if self.can(Capability.USERS_APPLY, self.servers[0]):
            assert self.changes(HARMLESS)
        made = {sample.job.method for sample in self.backups(HARMLESS)}
        assert made == {method.name for method in self.methods(self.servers[0])}

    def test_an_instant_is_only_promised_where_it_can_be_reached(self) -> None:
        server = self.servers[0]
        until = Until(kind="time", time=NOW)
        for sample in self.backups(HARMLESS):
            if not self.can(Capability.RESTORE_PITR, server):
                for destination in sample.destinations:
                    with pytest.raises(DbopsError):
                        self.backend.backup.compile_restore(sample.chain, destination, until, server)

    # Pure and deterministic

    @pytest.mark.parametrize("name", [HARMLESS, *HOSTILE[:4]])
    def test_compiling_reaches_nothing_and_gives_the_same_twice(self, name: str) -> None:
        for server in self.servers:
            with nothing_outside():
                first, second = dict(self.compiled(name, server)), dict(self.compiled(name, server))
            assert first == second

    def test_steps_can_be_saved_and_read_again(self) -> None:
        for server in self.servers:
            for label, steps in self.steps(HARMLESS, server):
                made = Plan(noun=label, target="t", engine=self.backend.name, created_at=NOW, steps=steps)
                assert load_plan(dump_plan(made)).digest == made.digest

    def test_steps_name_only_doors_that_are_there(self) -> None:
        for server in self.servers:
            for label, steps in self.steps(HARMLESS, server):
                for step in every_step(steps):
                    assert _has_door(self.backend.doors, step), f"{label}: {step.summary}"

    def test_driver_faults_have_a_reason_whatever_they_are(self) -> None:
        for error in (Exception("?"), TimeoutError("late"), ConnectionResetError(104, "reset"), ValueError("ü")):
            assert self.backend.fault(error) in REASONS

    # Names

    @pytest.mark.parametrize("name", HOSTILE)
    def test_hostile_names_are_only_names(self, name: str) -> None:
        if self.valid(name):
            self._same_shape(name)

    # The laws are for several classes to inherit, which is what Hypothesis warns of.
    @settings(suppress_health_check=[HealthCheck.differing_executors])
    @given(names)
    def test_any_name_is_only_a_name(self, name: str) -> None:
        if self.valid(name):
            self._same_shape(name)

    def _same_shape(self, name: str) -> None:
        server = self.servers[0]
        hostiles = list(self.statements(name, server))
        labels = {label for label, _ in hostiles}  # a login may have to be named more plainly than a role
        plains = [one for one in self.statements(HARMLESS, server) if one[0] in labels]
        for (label, plain), (_, hostile) in zip(plains, hostiles, strict=True):
            assert shape(hostile, self.quoting) == shape(plain, self.quoting), label
            expected = [word.replace(HARMLESS, name) for word in words_in(plain, self.quoting)]
            assert words_in(hostile, self.quoting) == expected, label
        for (label, plain), (_, hostile) in zip(self.called(HARMLESS, server), self.called(name, server), strict=True):
            assert shape(hostile, self.quoting) == shape(plain, self.quoting), label

    # Secrets

    def test_no_secret_is_in_any_output(self) -> None:
        for server in self.servers:
            for label, text in self.compiled(HARMLESS, server):
                assert VALUE not in text, label

    def test_a_session_knows_no_password(self) -> None:
        endpoint = Endpoint(engine=self.backend.name, host="h", user="u", database="d", password=SECRET)
        for read_only in (True, False):
            session = self.backend.session(endpoint, read_only=read_only, timeout_s=5)
            assert VALUE not in repr(session)
            assert session.drivername

    # Backups

    def test_making_a_backup_changes_nothing_on_the_server(self) -> None:
        """But for what it writes where it keeps its backups itself; and one that retires a database says so."""
        methods = {one.name: one for one in self.methods(self.servers[0])}
        for sample in self.backups(HARMLESS):
            method = methods[sample.job.method]
            steps = self.backend.backup.compile_backup(sample.job, sample.facts, self.servers[0])
            worst = max((step.risk for step in every_step(steps)), key=list(Risk).index)
            if method.custody is not Custody.REPOSITORY:
                assert worst is (Risk.DESTRUCTIVE if method.retires else Risk.WRITE)
                continue
            assert worst is Risk.READ
            sinks = [step.sink for step in every_step(steps) if isinstance(step, Transfer)]
            into = {(sink.repository, sink.backup) for sink in sinks if isinstance(sink, ToRepository)}
            assert into == {(sample.job.repository, sample.job.id)}

    def test_a_restore_reads_what_was_chosen_and_overwrites_nothing(self) -> None:
        for sample in self.backups(HARMLESS):
            held = {(sample.record.id, one.name, one.sha256) for one in sample.record.artifacts}
            for steps in self.restores(sample, self.servers[0]):
                assert Risk.DESTRUCTIVE not in {step.risk for step in every_step(steps)}
                if sample.record.custody is not Custody.REPOSITORY:
                    texts = [str(step.arguments.get("sql")) for step in every_step(steps) if isinstance(step, Call)]
                    assert any(sample.record.location in text for text in texts)
                    continue
                sources = [step.source for step in every_step(steps) if isinstance(step, Transfer)]
                read = {(s.backup, s.artifact, s.sha256) for s in sources if isinstance(s, FromRepository)}
                assert read
                assert read <= held

    # Health

    def test_the_catalogue_of_checks_is_whole(self) -> None:
        if not self.can(Capability.HEALTH, None):
            return
        checks = self.backend.health.checks()
        known = {question.name for server in self.servers for question in self.backend.health.questions(server)}
        assert len({check.id for check in checks}) == len(checks) > 0
        for server in self.servers:
            questions = self.backend.health.questions(server)
            names = [one.name for one in questions if within(server.version, one.since, one.until)]
            assert len(set(names)) == len(names), "one question of a name for each version"
        for check in checks:
            assert check.engine == self.backend.name, check.id
            assert {*check.needs, *check.also} <= known, check.id
            assert check.title, check.id
            assert check.remedy.text, check.id
            assert check.until is None or check.until >= check.since, check.id
        if any(check.scope == "database" for check in checks):
            assert "databases" in known


def _has_door(doors: Doors, step: Step) -> bool:
    match step:
        case Hold():
            return step.opening.what in doors.holds
        case Call(provider="backend"):
            return step.operation in doors.calls
        case Transfer(source=FromServer() as source):
            return source.stream in doors.streams
        case Wait():
            return step.probe.what in doors.probes
        case Sql():
            return doors.seal is not None or not any(isinstance(part, Seal) for part in step.statement)
        case _:
            return True


def _ask_for(capability: Capability, ws: Workspace) -> None:
    target = Target(name="shop", endpoint=Endpoint(engine="any"))
    if capability is Capability.ACCESS_INSPECT:
        access.snapshot(ws, target)
    elif capability is Capability.USERS_APPLY:
        users.plan(ws, "dbops: users/1\nmanage: {principals: [app]}\n", target)
    else:
        users.rotate(ws, target, "app", SECRET)


class _Untouchable:
    """A reader that nobody may ask."""

    def __getattr__(self, name: str) -> NoReturn:
        raise AssertionError(f"the server was asked ({name}) for what is not supported")


class _Paper(Workspace):
    """A workspace whose every target is one server that cannot be asked anything."""

    def __init__(self, backend: Backend, server: Server) -> None:
        super().__init__(Config(), secrets=Secrets(cast(Mapping[str, str], {})))
        self._paper = backend, server

    @contextmanager
    def open(self, target: Target, *, database: str | None = None, timeout_s: float | None = None) -> Generator[Opened]:
        backend, server = self._paper
        yield Opened(target, backend, server, cast(Reader, _Untouchable()))
