"""The laws of a backend that need a server. Its author writes::

    class TestMine(LiveLaws):
        backend = backend

        @pytest.fixture
        def place(self) -> Iterator[Place]: ...   # an empty database of a throwaway server

and overrides what the engine has. A capability that ``support`` denies is tried all the same, and must be refused: so
the capability table can neither promise nor hide anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Protocol, cast

import msgspec
import pytest

from dbops import yaml
from dbops.capabilities import Capability, Impossible, NotImplementedYet
from dbops.config import Config, RepositoryConfig, Target
from dbops.errors import DbopsError, Unsupported
from dbops.model.access import AccessSnapshot
from dbops.model.backup import Fingerprints, Verdict
from dbops.model.finding import Missing
from dbops.model.health import HealthReport, Status
from dbops.model.server import Endpoint, Server
from dbops.operations import access, backup, health, users
from dbops.operations.verify import verify
from dbops.operations.workspace import Workspace
from dbops.session import connect
from dbops.spi import Backend
from dbops.state import State

__all__ = ["Law", "LiveLaws", "Place"]


class Place(Protocol):
    """An empty database that belongs to one test. :class:`dbops.testing.servers.Database` is one."""

    name: str

    def endpoint(self, user: str | None = None) -> Endpoint:
        """How to reach it as an administrator, or as a login that the test made."""
        ...

    # Any: the values of a row have the types that the driver gives them.
    def sql(self, statements: str, user: str | None = None) -> list[tuple[Any, ...]]:
        """Run statements; the rows of the last one."""
        ...


class Law(NamedTuple):
    """What every law is tried with."""

    ws: Workspace
    place: Place
    target: Target
    server: Server
    request: pytest.FixtureRequest


class LiveLaws:
    """Subclass it under a name that starts with ``Test``.

    :cvar write: a statement that a reader must not be able to carry out; :cvar written: a question that gives no row
        as long as nobody did.
    """

    backend: ClassVar[Backend]
    write: ClassVar[str] = "CREATE TABLE dbops_law (x int)"
    written: ClassVar[str] = ""

    @pytest.fixture
    def place(self) -> Place:
        """Where everything happens."""
        raise NotImplementedError("a subclass of LiveLaws needs a fixture called place")

    @pytest.fixture
    def law(self, place: Place, tmp_path: Path, request: pytest.FixtureRequest) -> Law:
        """The place as an administrator sees it, with a repository and a state of its own."""
        repository = RepositoryConfig(name="law", url=f"file://{tmp_path}/repository")
        config = Config(repositories={"law": repository}, default_repository="law")
        ws = Workspace(config, state=State(tmp_path / "state", clock=lambda: datetime.now(UTC)))
        target = Target(name="law", endpoint=place.endpoint(), timeout_s=20)
        with ws.open(target) as opened:
            return Law(ws, place, target, opened.server, request)

    def populate(self, place: Place) -> None:
        """Fill in something worth granting on and backing up."""

    def spec(self, place: Place) -> str:
        """A users spec for what ``populate`` made, with roles, users, memberships and grants."""
        return f"dbops: users/1\nmanage: {{principals: [app], databases: [{place.name}]}}\n"

    def login(self, place: Place, server: Server, jobs: Sequence[str]) -> Endpoint:
        """Make the documented least-privileged login for ``jobs``, by the backend's ``grants``."""
        raise NotImplementedError("override login, or let support deny what needs one")

    def expects(self, law: Law, *capabilities: Capability) -> None:
        """Let the test be refused, and fail when it is not, where one of ``capabilities`` is denied."""
        for capability in capabilities:
            answer = self.backend.support(capability, law.server)
            if isinstance(answer, NotImplementedYet | Impossible):
                law.request.applymarker(pytest.mark.xfail(raises=Unsupported, strict=True, reason=answer.reason))

    # Sessions

    def test_a_probe_finds_this_engine_and_the_same_twice(self, law: Law) -> None:
        assert law.server.engine == self.backend.name
        assert law.server.version > (0,)
        assert law.server.role in ("primary", "standby")
        with law.ws.open(law.target) as opened:
            assert opened.server == law.server
            assert opened.backend is self.backend

    def test_a_reader_cannot_write(self, law: Law) -> None:
        with connect(self.backend, law.place.endpoint(), resolve=law.ws.secrets.resolve) as reader:
            with pytest.raises(DbopsError):
                reader.tuples(self.write)
            with pytest.raises(DbopsError), reader.snapshot():
                reader.tuples(self.write)
        if self.written:
            assert law.place.sql(self.written) == []

    def test_parameters_are_bound_and_never_pasted(self, law: Law) -> None:
        hostile = "'; DROP TABLE x; -- %s %(a)s \\"
        with connect(self.backend, law.place.endpoint(), resolve=law.ws.secrets.resolve) as reader:
            assert reader.tuples("SELECT %(a)s, %(b)s, %(a)s", {"b": "100%", "a": hostile}) == [
                (hostile, "100%", hostile)
            ]
            assert reader.scalar("SELECT '5%%' WHERE %(a)s = 'x'", {"a": "x"}) == "5%"
            assert reader.scalar("SELECT '5%'") == "5%"

    # Health

    def test_every_check_gives_an_answer(self, law: Law) -> None:
        self.expects(law, Capability.HEALTH)
        assert unanswered(health.check(law.ws, [law.target]), self.backend) == {}

    def test_every_check_gives_an_answer_to_the_documented_login(self, law: Law) -> None:
        self.expects(law, Capability.HEALTH)
        self.populate(law.place)
        weak = msgspec.structs.replace(law.target, endpoint=self.login(law.place, law.server, ["health"]))
        assert unanswered(health.check(law.ws, [weak]), self.backend) == {}

    # Access

    def test_the_documented_login_sees_all_of_the_access(self, law: Law) -> None:
        self.expects(law, Capability.ACCESS_INSPECT)
        self.populate(law.place)
        everything = access.snapshot(law.ws, law.target, databases=[law.place.name])
        weak = msgspec.structs.replace(law.target, endpoint=self.login(law.place, law.server, ["audit"]))
        assert seen(access.snapshot(law.ws, weak, databases=[law.place.name])) >= seen(everything)

    def test_convergent(self, law: Law) -> None:
        self.expects(law, Capability.USERS_APPLY)
        self.populate(law.place)
        spec = self.spec(law.place)
        assert users.plan(law.ws, spec, law.target)[1].steps
        users.apply(law.ws, spec, law.target)
        assert users.plan(law.ws, spec, law.target)[1].steps == ()

    def test_reversible(self, law: Law) -> None:
        self.expects(law, Capability.USERS_APPLY)
        self.populate(law.place)
        spec = self.spec(law.place)
        users.apply(law.ws, spec, law.target)
        applied = seen(access.snapshot(law.ws, law.target, databases=[law.place.name]))
        users.apply(law.ws, bare(spec), law.target)
        assert seen(access.snapshot(law.ws, law.target, databases=[law.place.name])) != applied
        users.apply(law.ws, spec, law.target)
        assert seen(access.snapshot(law.ws, law.target, databases=[law.place.name])) == applied

    # Backup

    def test_the_documented_login_can_tell_what_a_backup_needs(self, law: Law) -> None:
        self.expects(law, Capability.BACKUP_LOGICAL)
        self.populate(law.place)
        weak = msgspec.structs.replace(law.target, endpoint=self.login(law.place, law.server, ["backup"]))
        with law.ws.open(weak) as opened:
            opened.require(Capability.BACKUP_LOGICAL)
            facts = opened.backend.backup.inspect(opened.reader, opened.server, law.ws.host)
        reasons = [one.reason for one in (facts.total_bytes, facts.log_bytes_per_s) if isinstance(one, Missing)]
        assert "no_permission" not in reasons

    @pytest.mark.parametrize("kind", ["logical", "physical"])
    def test_restorable(self, kind: str, law: Law) -> None:
        made, proved = Capability(f"backup.{kind}"), (Capability.VERIFY_RESTORE, Capability.VERIFY_FINGERPRINTS)
        self.expects(law, made, *proved)
        self.populate(law.place)
        with law.ws.open(law.target) as opened:
            opened.require(made)
            for one in proved:
                opened.require(one)
            methods = [one.name for one in opened.backend.backup.methods(opened.server) if one.kind == kind]
        for method in methods:
            stored = backup.run(law.ws, law.target, method=method).backup
            proof = verify(law.ws, law.target, method=method, level="full")
            assert (proof.backup, proof.verdict) == (stored.id, Verdict.VERIFIED), proof.reasons
            if isinstance(proof.fingerprints, Fingerprints):
                assert proof.fingerprints.compared == proof.fingerprints.equal > 0
            else:
                assert kind == "physical", "the bytes of a logical backup are compared with what was read"


def unanswered(report: HealthReport, backend: Backend) -> dict[str, str]:
    """Checks of the engine itself that could not tell, and why."""
    own = {check.id for check in backend.health.checks()}
    return {
        check.id: f"{check.reason}: {check.summary}"
        for check in report.checks
        if check.id in own and check.status is Status.UNKNOWN
    }


def seen(snapshot: AccessSnapshot) -> set[str]:
    """What a snapshot says, in names: two readings can be compared whatever their numbers are."""
    names = [one.name for one in snapshot.principals]
    found = {f"principal {one.name} {one.attributes} {one.connection_limit}" for one in snapshot.principals}
    found |= {
        f"member {names[one.member]} of {names[one.group]} {one.inherit} {one.set} {one.admin}"
        for one in snapshot.memberships
    }
    for one in snapshot.objects:
        found.add(f"{one.kind} {one.path} owner {names[one.owner] if one.owner >= 0 else ''}")
        found |= {
            f"{one.kind} {one.path} {names[grant.grantee]} {grant.actions} {grant.grantable}"
            for grant in snapshot.grants(one)
        }
    for default in snapshot.defaults:
        where = f"{names[default.creator]} {default.database}.{default.schema} {default.kind}"
        found |= {f"default {where} {names[grant.grantee]} {grant.actions}" for grant in default.grants}
    return found


def bare(spec: str) -> str:
    """The same principals without anything that the spec gives them; the hosts of an account are part of its name."""
    document = cast(dict[str, dict[str, object]], yaml.load(spec, "spec").value)
    for group in {"roles", "users"} & set(document):
        entries = cast(dict[str, dict[str, object]], document[group])
        document[group] = {
            name: {key: value for key, value in entry.items() if key == "hosts"} for name, entry in entries.items()
        }
    return yaml.dump(document)
