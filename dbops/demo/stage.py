"""Where the demo takes place: a directory, a server with something in it, a configuration, a workspace."""

from __future__ import annotations

import importlib
import importlib.util
import json
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, cast

from dbops import registry
from dbops.config import load
from dbops.errors import ConfigError, DestinationExists, OutputError
from dbops.execute.context import Progress
from dbops.model.server import Endpoint
from dbops.operations.workspace import Workspace
from dbops.state import State

__all__ = ["LOGIN", "REPORT", "Scene", "Shop", "directory", "workspace"]

LOGIN = "dbops"
REPORT = "report.html"

# A hundredth of a second would be rash elsewhere: here the sleeper went to sleep a moment ago.
CONFIG = """\
# Written by `dbops demo`.

[defaults]
repository = "main"

[repositories.main]
url = {repository}

[targets.shop]
url = {url}
password = {password}
timeout = "15s"

[targets.shop.objective]
rpo = "24h"
rto = "1h"
keep = {{ daily = 7, weekly = 4, monthly = 12 }}
verify = {{ every = "7d", level = "full" }}

[targets.shop.verify]
into = {scratch}
tools = {tools}

[targets.shop.health.thresholds]
{impatient} = {{ warning = 0.01, critical = 300 }}

[targets.shop-admin]
url = {admin_url}
password = {admin_password}

[jobs.nightly]
do = "backup"
targets = "shop"
at = "15 2 * * *"
"""


class Shop(Protocol):
    """A server of the demo's own, as the module ``demo`` of a backend's package starts it.

    ``question`` (who, action, object) is what the demo explains path by path; ``impatient`` is the check that shall not
    wait as long as elsewhere for the session that went to sleep a moment ago; ``spec`` is a users spec in which
    ``DIRECTORY`` stands for the demo's own.
    """

    @property
    def question(self) -> tuple[str, str, str]: ...
    @property
    def impatient(self) -> str: ...
    @property
    def spec(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def tools(self) -> Path: ...
    @property
    def again(self) -> str:
        """The command that starts it again, for a shell."""
        ...

    def endpoint(self) -> Endpoint: ...
    def fill(self) -> str:
        """Make the shop; says in a line what it holds."""
        ...

    def login(self, name: str, sql: str) -> Endpoint:
        """Run ``sql``, which makes a login, as an administrator would; gives the way in."""
        ...

    def stop(self) -> None: ...


class _Module(Protocol):
    def place(self, engine: str) -> Path: ...
    def start(self, engine: str, directory: Path) -> Shop: ...


class Scene:
    """The directory, and the server while it runs."""

    def __init__(self, engine: str, directory: Path, module: _Module, *, keep: bool) -> None:
        self.engine = engine
        self.directory = directory
        self.keep = keep
        self._module = module

    @contextmanager
    def start(self) -> Generator[Shop]:
        """An empty server; leaving the context stops it."""
        shop = self._module.start(self.engine, self.directory)
        try:
            yield shop
        finally:
            shop.stop()


@contextmanager
def directory(wanted: str | None, *, keep: bool, engine: str = "postgresql") -> Generator[Scene]:
    """A new directory, emptied afterwards except for the report unless it is to be kept.

    :raises UsageError: no such engine; :raises ConfigError: it has no demo.
    :raises DestinationExists: ``wanted`` holds something.
    :raises OutputError: it cannot be made.
    """
    module = _module(engine)
    place = _new(wanted, engine, module)
    try:
        yield Scene(engine, place, module, keep=keep)
    finally:
        if not keep:
            _empty(place)


def workspace(scene: Scene, shop: Shop, login: Endpoint, progress: Progress | None) -> Workspace:
    """A configuration like anybody's, and the workspace that it gives; its state lies in the demo's directory."""
    path = scene.directory / "dbops.toml"
    admin = shop.endpoint()
    text = CONFIG.format(
        repository=_quoted(f"file://{scene.directory / 'repository'}"),
        url=_quoted(str(login)),
        password=_quoted(str(login.password)),
        scratch=_quoted(str(scene.directory)),
        tools=_quoted(str(shop.tools)),
        impatient=_quoted(shop.impatient),
        admin_url=_quoted(str(admin)),
        admin_password=_quoted(str(admin.password)),
    )
    path.write_text(text, encoding="utf-8")
    ws = Workspace(load(path), progress=progress)
    ws.state = State(scene.directory / "state", clock=ws.now)
    return ws


def _module(engine: str) -> _Module:
    backend = registry.backend(engine)
    package = type(backend).__module__.partition(".")[0]
    name = f"{package}.demo"
    if importlib.util.find_spec(name) is None:
        raise ConfigError(f"{backend.label} has no demo", hint="Leave --engine out: PostgreSQL has one.")
    return cast("_Module", importlib.import_module(name))


def _new(wanted: str | None, engine: str, module: _Module) -> Path:
    if wanted is None:
        place = Path(tempfile.mkdtemp(prefix="dbops-demo-", dir=module.place(engine)))
    else:
        place = Path(wanted).absolute()
        _refuse_content(place)
    # The server runs as another user when we are root, and must be able to pass.
    place.chmod(0o711)
    return place


def _refuse_content(place: Path) -> None:
    try:
        place.mkdir(parents=True, exist_ok=True)
        full = any(place.iterdir())
    except OSError as error:
        raise OutputError(f"{place} cannot be used: {error.strerror}", hint="Name another directory.") from None
    if full:
        raise DestinationExists(f"{place} is not empty, and nothing was touched", hint="Name a new directory.")


def _empty(place: Path) -> None:
    for found in place.iterdir():
        if found.name == REPORT:
            continue
        if found.is_dir():
            shutil.rmtree(found, ignore_errors=True)
        else:
            found.unlink(missing_ok=True)
    if not any(place.iterdir()):
        place.rmdir()


def _quoted(text: str) -> str:
    """A TOML string: JSON's escapes are a part of TOML's."""
    return json.dumps(text, ensure_ascii=False)
