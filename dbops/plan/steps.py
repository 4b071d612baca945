"""The vocabulary of steps, their sources and sinks, and how secrets and outputs are referred to."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from dbops.errors import ConfigError

__all__ = [
    "REFERENCE_FORMS",
    "REFERENCE_SCHEMES",
    "Argument",
    "Call",
    "Command",
    "Filter",
    "Fragment",
    "FromRepository",
    "FromServer",
    "Hold",
    "Json",
    "Need",
    "Opening",
    "Probe",
    "Ref",
    "Risk",
    "Seal",
    "SecretRef",
    "Sink",
    "Source",
    "Sql",
    "Step",
    "ToCommand",
    "ToDirectory",
    "ToFile",
    "ToNowhere",
    "ToRepository",
    "Together",
    "Transfer",
    "Value",
    "Wait",
    "WriteFile",
    "fragment_text",
]

REFERENCE_SCHEMES = ("env", "file", "cmd", "keyring", "aws-secretsmanager")
REFERENCE_FORMS = (
    "A secret is written as env:NAME, file:PATH, cmd:PROGRAM ARGS, keyring:SERVICE/USER or aws-secretsmanager:ID."
)

if TYPE_CHECKING:
    Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
else:
    Json = Any  # msgspec takes no recursive alias; any JSON value is accepted while decoding


class Risk(StrEnum):
    """What carrying out a step can do to somebody's data."""

    READ = "read"
    WRITE = "write"
    DESTRUCTIVE = "destructive"


class SecretRef(msgspec.Struct, frozen=True, tag_field="kind", tag="secret"):
    """Where a secret is kept, such as ``env:SHOP_PASSWORD``; never the secret itself.

    Schemes: ``env:``, ``file:``, ``cmd:``, ``keyring:``, ``aws-secretsmanager:`` (resolved by :mod:`dbops.secrets`).
    """

    ref: str

    @classmethod
    def parse(cls, text: str, where: str = "secret") -> SecretRef:
        """A reference as a person writes it.

        :raises ConfigError: no known scheme. The text is not repeated: it may be the password itself.
        """
        scheme, _, rest = text.partition(":")
        if scheme not in REFERENCE_SCHEMES or not rest:
            raise ConfigError(f"{where}: this is not a reference to a secret", hint=REFERENCE_FORMS)
        return cls(text)

    def __str__(self) -> str:
        return self.ref


class Seal(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="seal"):
    """A secret turned into what the server stores, at execution time (a SCRAM verifier, a hash).

    The backend's door gives a complete SQL literal, quotes included.
    ``name`` is the account, which some verifiers are salted with.
    """

    seal: str
    secret: SecretRef
    name: str


class Ref(msgspec.Struct, frozen=True, tag_field="kind", tag="ref"):
    """The output ``output`` of the earlier step ``step``, known only when the plan is carried out."""

    step: str
    output: str


Fragment = str | Seal | Ref
Value = str | int | bool | Ref | SecretRef
Argument = str | Ref


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """What a step needs to succeed: a right on the server, a client tool, room on a disk."""

    kind: Literal["right", "tool", "space", "setting"]
    name: str
    fix: str = ""


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """A transformation of a byte stream, by the name under which the manifest records it (``zstd``, ``age``)."""

    name: str
    options: dict[str, str] = {}


class FromServer(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="server"):
    """Bytes produced by the engine: a dump, a base backup, a listing. ``stream`` is a word of the backend."""

    stream: str
    arguments: dict[str, Value] = {}
    endpoint: str = "target"


class FromRepository(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="repository"):
    """One artifact of a stored backup, with the SHA-256 of its clear bytes as the manifest states it."""

    repository: str
    backup: str
    artifact: str
    sha256: str


class ToRepository(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="repository"):
    """An artifact of a backup that is being written; an empty name stores each member under its own."""

    repository: str
    backup: str
    artifact: str


class ToDirectory(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="directory"):
    """A tar stream unpacked below ``path``, which was absent or empty."""

    path: Argument


class ToFile(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="file"):
    """A new file."""

    path: Argument


class ToCommand(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="command"):
    """The standard input of a program."""

    argv: tuple[Argument, ...]
    env: dict[str, Value] = {}


class ToNowhere(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="nowhere"):
    """Read, checked against its digests, and dropped."""


Source = FromServer | FromRepository
Sink = ToRepository | ToDirectory | ToFile | ToCommand | ToNowhere


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """What a Hold opens: ``what`` is a word of the backend (``snapshot``, ``slot``, ``lock``, ``scratch``)."""

    what: str
    arguments: dict[str, Value] = {}
    endpoint: str = "target"


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """A yes-or-no question to a server, asked until the answer is yes. ``what`` is a word of the backend."""

    what: str
    arguments: dict[str, Value] = {}
    endpoint: str = "target"


class _Base(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    id: str
    summary: str
    risk: Risk
    undo: str = ""
    needs: tuple[Need, ...] = ()
    idempotent: bool = False


def _as_float(step: _Base, field: str, value: float) -> None:
    # JSON gives 30.0 back for a field of seconds that was written as 30, and the digest would be another.
    msgspec.structs.force_setattr(step, field, float(value))


class Sql(_Base, frozen=True, kw_only=True, tag="sql"):
    """One statement. Neighbours with the same ``transaction`` label and database share one transaction; without a label
    each commits by itself, in a session that they share."""

    statement: tuple[Fragment, ...]
    database: str | None = None
    transaction: str | None = None
    endpoint: str = "target"

    @property
    def text(self) -> str:
        """The statement as a person may read it: a sealed secret shows as a comment that names its reference."""
        return "".join(fragment_text(part) for part in self.statement)


class Command(_Base, frozen=True, kw_only=True, tag="command"):
    """A program run on the host of dbops. ``ok`` are the exit codes that mean success."""

    argv: tuple[Argument, ...]
    env: dict[str, Value] = {}
    where: Literal["here"] = "here"
    ok: tuple[int, ...] = (0,)
    deadline_s: float | None = None
    endpoint: str | None = None

    def __post_init__(self) -> None:
        if self.deadline_s is not None:
            _as_float(self, "deadline_s", self.deadline_s)


class WriteFile(_Base, frozen=True, kw_only=True, tag="write_file"):
    """A text file, written atomically with ``mode``; ``append`` adds to one that is there."""

    path: Argument
    content: tuple[Fragment, ...]
    mode: int = 0o600
    append: bool = False


class Transfer(_Base, frozen=True, kw_only=True, tag="transfer"):
    """Bytes from ``source`` through ``filters`` into ``sink``, in bounded memory."""

    source: Source
    sink: Sink
    filters: tuple[Filter, ...] = ()


class Call(_Base, frozen=True, kw_only=True, tag="call"):
    """``operation`` of ``provider`` (``repository``, ``backend``, or a service such as ``aws.rds``).

    An argument ``sql`` is the statement that it runs, and people are shown it.
    """

    provider: str
    operation: str
    arguments: dict[str, Value] = {}
    endpoint: str = "target"


class Wait(_Base, frozen=True, kw_only=True, tag="wait"):
    """Ask ``probe`` every ``every_s`` seconds until yes; after ``deadline_s`` the step has failed."""

    probe: Probe
    deadline_s: float
    every_s: float = 0.5

    def __post_init__(self) -> None:
        _as_float(self, "deadline_s", self.deadline_s)
        _as_float(self, "every_s", self.every_s)


class Together(_Base, frozen=True, kw_only=True, tag="together"):
    """Steps without an order between them, at most ``limit`` at once. One that fails stops the others."""

    steps: tuple[Step, ...]
    limit: int = 4


class Hold(_Base, frozen=True, kw_only=True, tag="hold"):
    """``opening`` stays open while ``steps`` run; it is closed whatever happens, and ``close`` says how.

    An opening that starts a server makes it known to the steps inside as the endpoint named like this step's id.
    """

    opening: Opening
    steps: tuple[Step, ...]
    close: str = ""


Step = Sql | Command | WriteFile | Transfer | Call | Wait | Together | Hold


def fragment_text(part: Fragment) -> str:
    """A piece of a statement as a person may read it: a secret shows as its reference."""
    if isinstance(part, Seal):
        return f"'***' /* {part.secret.ref} */"
    if isinstance(part, Ref):
        return f"<{part.step}.{part.output}>"
    return part
