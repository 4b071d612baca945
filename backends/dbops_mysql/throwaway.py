"""A whole MySQL or MariaDB server to be thrown away: the demo and the tests run on it.

Making a data directory takes seconds, so it is made once for each installation and copied; without MySQL's
``auto.cnf``, so that each copy gives itself a ``server_uuid`` of its own.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from dbops import own_server
from dbops.model.server import Endpoint, Version
from dbops.throwaway import HOST, PREFIX, Throwaway
from dbops_mysql import installation as programs
from dbops_mysql import quoting, server
from dbops_mysql.installation import Family, Installation

__all__ = ["MySQLServer", "installations", "start"]

ROOT = "root"
# Built into a data directory when it is made.
BUILT_IN = {"innodb_page_size", "lower_case_table_names", "innodb_data_file_path", "innodb_checksum_algorithm"}
# Thrown away anyway.
CHEAP: Mapping[str, str] = {"innodb_flush_log_at_trx_commit": "2", "sync_binlog": "0"}
SETUP = "setup.sql"


class MySQLServer(Throwaway[server.Running]):
    """One account, ``root@localhost`` (besides those of the server itself), which is also who comes from 127.0.0.1.

    Where ``skip_name_resolve`` is set, nobody from there is ``localhost``, and there is a ``root@127.0.0.1`` too.

    :param settings: may be changed afterwards, and count from the next start.
    """

    administrator: ClassVar[str] = ROOT
    try_again: ClassVar[Sequence[str]] = ("Address already in use", "Do you already have another")
    cheap: ClassVar[Mapping[str, str]] = {**CHEAP, "innodb_flush_method": "nosync"}
    # Statements that take away accounts that an installation makes and nobody wants.
    fewer: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self, installation: Installation, settings: Mapping[str, str] | None = None, *, prefix: str = ""
    ) -> None:
        user = programs.server_user()
        self.installation = programs.reachable(installation, user)
        self.engine = installation.family
        self.settings = {**self.cheap, **(settings or {})}
        super().__init__(user, prefix)
        _copy(_template(self.installation, _built_in(self.settings), user), self.datadir, user)
        self._write_setup()

    @property
    def version(self) -> Version:
        """Such as ``(10, 11, 19)``."""
        return self.installation.version

    @property
    def major(self) -> int:
        """Such as 10."""
        return self.installation.major

    @property
    def bindir(self) -> Path:
        """Where the client tools of the same version are."""
        return self.installation.bindir

    @property
    def socket(self) -> Path:
        """What it listens on besides the port."""
        return self.running.socket

    def launch(self, port: int) -> server.Running:
        """Start on this port; the first time it sets the password before anybody can connect."""
        setup = self.socket_dir / SETUP
        return server.start(
            self.installation,
            self.datadir,
            socket_dir=self.socket_dir,
            log=self.log,
            port=port,
            user=self.user,
            settings=self.settings,
            options=[f"--init-file={setup}"] if setup.exists() else [],
        )

    def start(self, deadline_s: float = 60) -> None:
        """Start, and wait until it accepts connections. The port is chosen by the first start and kept.

        :raises ToolFailed: with the end of the server's log.
        """
        super().start(deadline_s)
        (self.socket_dir / SETUP).unlink(missing_ok=True)

    def url(self, user: str = ROOT, database: str = "", *, password: str | None = None) -> str:
        """A SQLAlchemy URL with the password in it, for ``root``, a :meth:`login`, or the one that is given."""
        return self.address(user, database, password)

    def endpoint(self, user: str = ROOT, database: str = "") -> Endpoint:
        """The same as dbops takes it; the password is in a file that only we can read."""
        return self.reference(user, database)

    def login(self, name: str, options: str = "", *, host: str = "localhost") -> None:
        """Create an account with a random password; ``options`` such as ``REQUIRE SSL``."""
        by = f"IDENTIFIED BY {quoting.literal(self.passwords.new(name))}"
        self.sql(f"CREATE USER {quoting.account(name, host)} {by} {options}")

    # Any: the values of a row have the types that the driver gives them.
    def sql(self, statements: str, *, database: str = "", user: str = ROOT) -> list[tuple[Any, ...]]:
        """Run one or several statements, each by itself unless they begin a transaction; the rows of the last one."""
        import pymysql
        from pymysql.constants import CLIENT

        connection = pymysql.connect(
            unix_socket=os.fspath(self.socket),
            user=user,
            password=self.passwords.of(user),
            database=database or None,
            charset="utf8mb4",
            autocommit=True,
            client_flag=CLIENT.MULTI_STATEMENTS,
        )
        with connection, connection.cursor() as cursor:
            cursor.execute(statements)
            rows = cursor.fetchall() if cursor.description else ()
            while cursor.nextset():
                rows = cursor.fetchall() if cursor.description else ()
            return list(rows)

    def create_database(self, name: str) -> None:
        """An empty one."""
        self.sql(f"CREATE DATABASE {quoting.identifier(name)}")

    def drop_database(self, name: str) -> None:
        """It need not be there."""
        self.sql(f"DROP DATABASE IF EXISTS {quoting.identifier(name)}")

    def accounts(self) -> frozenset[str]:
        """Users and roles, as a statement names them."""
        return frozenset(quoting.account(user, host) for user, host in self.sql("SELECT User, Host FROM mysql.user"))

    def drop_accounts(self, names: Collection[str]) -> None:
        """With all that they were granted."""
        if names:
            self.sql(f"DROP USER IF EXISTS {', '.join(sorted(names))}")

    def _write_setup(self) -> None:
        if self._is_on("skip_grant_tables"):
            return  # nobody needs a password then, and none can be set
        own = quoting.literal(self.password)
        lines = ["SET SESSION sql_log_bin = 0;", *self.fewer]
        lines.append(f"ALTER USER `{ROOT}`@`localhost` IDENTIFIED BY {own};")
        if self._is_on("skip_name_resolve"):
            lines.append(f"CREATE USER IF NOT EXISTS `{ROOT}`@`{HOST}` IDENTIFIED BY {own};")
            lines.append(f"GRANT ALL ON *.* TO `{ROOT}`@`{HOST}` WITH GRANT OPTION;")
        setup = self.socket_dir / SETUP
        setup.touch(mode=0o600)
        setup.write_text("\n".join(lines) + "\n", encoding="utf-8")
        own_server.hand_over(setup, self.user)

    def _is_on(self, name: str) -> bool:
        values = [value for key, value in self.settings.items() if key.replace("-", "_") == name]
        return any(value.upper() not in ("OFF", "0") for value in values)


class MariaDBServer(MySQLServer):
    """The same, where a role is no account."""

    cheap: ClassVar[Mapping[str, str]] = CHEAP
    fewer: ClassVar[tuple[str, ...]] = (
        "DELETE FROM mysql.global_priv WHERE User = 'root' AND Host <> 'localhost';",
        "DELETE FROM mysql.proxies_priv WHERE Host <> 'localhost';",
        "FLUSH PRIVILEGES;",
    )

    def accounts(self) -> frozenset[str]:
        """Users and roles, as a statement names them."""
        rows = self.sql("SELECT User, Host, is_role FROM mysql.user")
        return frozenset(
            quoting.identifier(user) if role == "Y" else quoting.account(user, host) for user, host, role in rows
        )

    def drop_accounts(self, names: Collection[str]) -> None:
        """With all that they were granted."""
        for name in sorted(names):
            kind = "USER" if "`@`" in name else "ROLE"
            self.sql(f"DROP {kind} IF EXISTS {name}")


def installations(engine: str) -> tuple[Installation, ...]:
    """Every server of ``engine`` (``mysql`` or ``mariadb``) that this machine could start, the newest first."""
    return programs.installations(family="mariadb" if engine == "mariadb" else "mysql")


KINDS: Mapping[Family, type[MySQLServer]] = {"mysql": MySQLServer, "mariadb": MariaDBServer}


def start(installation: Installation, settings: Mapping[str, str] | None = None) -> MySQLServer:
    """A new server that is ready; it leaves nothing behind when it cannot be started."""
    one = KINDS[installation.family](installation, settings)
    try:
        one.start()
    except BaseException:
        one.destroy()
        raise
    return one


_templates: dict[tuple[Installation, tuple[tuple[str, str], ...]], Path] = {}


def _template(installation: Installation, settings: Mapping[str, str], user: str | None) -> Path:
    key = installation, tuple(sorted(settings.items()))
    if key not in _templates:
        place = own_server.temporary_directory(user)
        folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-template-", dir=place))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o711)
        server.initialise(installation, folder / "data", user=user, settings=settings)
        (folder / "data" / "auto.cnf").unlink(missing_ok=True)
        _templates[key] = folder / "data"
    return _templates[key]


def _copy(template: Path, datadir: Path, user: str | None) -> None:
    shutil.copytree(template, datadir)
    own_server.hand_over(datadir, user)


def _built_in(settings: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in settings.items() if name.replace("-", "_") in BUILT_IN}
