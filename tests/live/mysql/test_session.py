"""Sessions with real servers: what a reader cannot do, how it is encrypted, and what is said when there is none."""

from __future__ import annotations

import datetime as dt
import gc
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import create_engine, text

from dbops import own_server, registry
from dbops.errors import DbopsError, NotPermitted, ReadFailed, Unreachable, UsageError
from dbops.model.server import Endpoint
from dbops.plan import SecretRef
from dbops.secrets import Secrets
from dbops.session import connect, from_engine, writer
from dbops.spi import Backend, Reader
from dbops.testing.lend import Private, lent
from dbops.testing.mysql import Series
from dbops.testing.servers import Database, Installation, ThrowawayServer
from dbops_mysql.installation import server_user
from dbops_mysql.quoting import literal

resolve = Secrets().resolve
NEWEST = pytest.mark.mysql(newest=True)
ONE = pytest.mark.mysql(family="mysql", newest=True)  # for what needs no server


@pytest.fixture
def backend(mysql_series: Series) -> Backend:
    return registry.backend(mysql_series.family)


@pytest.fixture
def reader(mysql_database: Database, backend: Backend) -> Iterator[Reader]:
    with connect(backend, mysql_database.endpoint(), resolve=resolve, timeout_s=30) as found:
        yield found


@pytest.fixture
def hurried(mysql_database: Database, backend: Backend, reader: Reader) -> Iterator[Reader]:
    """Waits for a second. The first session has done what takes longer: the server knows the password now."""
    with connect(backend, mysql_database.endpoint(), resolve=resolve, timeout_s=1) as found:
        yield found


class Row(msgspec.Struct, frozen=True):
    number: int
    word: str | None


# Asking


def test_four_ways_to_ask(reader: Reader) -> None:
    sql = "SELECT 1 AS number, 'one' AS word UNION ALL SELECT 2, NULL"
    assert reader.tuples(sql) == [(1, "one"), (2, None)]
    assert reader.dicts(sql) == [{"number": 1, "word": "one"}, {"number": 2, "word": None}]
    assert reader.rows(sql, Row) == [Row(1, "one"), Row(2, None)]
    assert reader.scalar(sql) == 1
    assert reader.scalar("SELECT 1 FROM DUAL WHERE FALSE") is None


def test_parameters_percent_signs_and_backslashes(reader: Reader) -> None:
    hostile = "'; DROP TABLE x; -- %s %(a)s \\"
    assert reader.scalar("SELECT CONCAT(%(a)s, %(b)s)", {"a": hostile, "b": "!"}) == hostile + "!"
    assert reader.scalar("SELECT '100%'") == "100%"
    assert reader.scalar("SELECT '100%%' FROM DUAL WHERE 5 %% 2 = %(one)s", {"one": 1}) == "100%"
    assert reader.scalar(r"SELECT 'C:\temp'") == "C:\\temp"


def test_every_letter_comes_back(reader: Reader) -> None:
    words = "ärger 漢字 \U0001f600"
    assert reader.scalar(f"SELECT '{words}'") == words
    assert reader.scalar("SELECT %(a)s", {"a": words}) == words


# Reading only


@pytest.mark.parametrize(
    "statement",
    ["CREATE TABLE t (x int)", "INSERT INTO kept VALUES (1)", "CREATE USER nobody_made_this", "DROP TABLE kept"],
)
def test_a_reader_cannot_write(reader: Reader, mysql_database: Database, statement: str) -> None:
    mysql_database.sql("CREATE TABLE kept (x int)")
    with pytest.raises(ReadFailed, match="READ ONLY transaction"):
        reader.tuples(statement)
    assert mysql_database.sql("SHOW TABLES") == [("kept",)]
    assert mysql_database.sql("SELECT COUNT(*) FROM kept") == [(0,)]


def test_a_question_is_bounded_in_time(hurried: Reader) -> None:
    endless = (
        "SELECT COUNT(*) FROM information_schema.columns a, information_schema.columns b, information_schema.columns c"
    )
    with pytest.raises(ReadFailed) as caught:
        hurried.scalar(endless)
    assert caught.value.reason == "timeout"
    assert hurried.scalar("SELECT 1") == 1


def test_a_reader_does_not_queue_behind_a_lock(hurried: Reader, mysql_database: Database, backend: Backend) -> None:
    mysql_database.sql("CREATE TABLE locked (x int)")
    with writer(backend, mysql_database.endpoint(), resolve=resolve) as other:
        other.run("LOCK TABLES locked WRITE")
        with pytest.raises(ReadFailed) as caught:
            hurried.tuples("SELECT * FROM locked")
        other.run("UNLOCK TABLES")
    assert caught.value.reason in ("lock_timeout", "timeout")


def test_a_snapshot_sees_one_state(reader: Reader, mysql_database: Database) -> None:
    mysql_database.sql("CREATE TABLE counted (x int)")
    with reader.snapshot():
        assert reader.scalar("SELECT COUNT(*) FROM counted") == 0
        mysql_database.sql("INSERT INTO counted VALUES (1)")
        assert reader.scalar("SELECT COUNT(*) FROM counted") == 0
        with pytest.raises(ReadFailed):
            reader.tuples("INSERT INTO counted VALUES (2)")
    assert reader.scalar("SELECT COUNT(*) FROM counted") == 1


def test_after_a_failure_inside_a_snapshot_the_session_goes_on(reader: Reader) -> None:
    with pytest.raises(ReadFailed) as caught, reader.snapshot():
        reader.tuples("SELECT nonsense FROM mysql.user")
    assert caught.value.reason == "not_supported_version"
    assert reader.scalar("SELECT 1") == 1


@NEWEST
def test_what_the_server_is_set_to_does_not_change_what_is_read(private_mysql: Private, backend: Backend) -> None:
    """Quotes, backslashes, zones, character sets, and statements that run in every new session."""
    server = private_mysql(
        sql_mode="ANSI_QUOTES,PIPES_AS_CONCAT", character_set_server="utf8mb3", collation_server="utf8mb3_bin",
        default_time_zone="+09:00", init_connect="SET sql_select_limit = 1, autocommit = 0, group_concat_max_len = 4",
    )  # fmt: skip
    server.login("anybody")
    with connect(backend, server.endpoint("anybody"), resolve=resolve) as reader:
        assert reader.scalar('SELECT "a word"') == "a word"
        assert reader.scalar(r"SELECT 'back\slash'") == "back\\slash"
        assert reader.scalar("SELECT CHAR_LENGTH('\U0001f600')") == 1
        assert reader.tuples("SELECT 1 UNION SELECT 2") == [(1,), (2,)]
        assert reader.scalar("SELECT TIMESTAMPDIFF(MINUTE, UTC_TIMESTAMP(), NOW())") == 0
        assert reader.scalar("SELECT @@autocommit") == 1
        assert reader.scalar("SELECT GROUP_CONCAT(a) FROM (SELECT 'long' AS a UNION SELECT 'enough') b") in (
            "long,enough",
            "enough,long",
        )


def test_a_sibling_database(reader: Reader, mysql_database: Database) -> None:
    with reader.database("mysql") as sibling:
        assert sibling.scalar("SELECT DATABASE()") == "mysql"
        assert reader.scalar("SELECT DATABASE()") == mysql_database.name
        with pytest.raises(ReadFailed, match="READ ONLY"):
            sibling.tuples("CREATE TABLE t (x int)")
    with pytest.raises(Unreachable) as caught, reader.database('no "such" %s `x`'):
        pass
    assert caught.value.reason == "unknown_database"


@NEWEST
def test_a_reader_over_somebody_else_s_engine(mysql_database: Database, backend: Backend) -> None:
    url = mysql_database.url().replace(f"{mysql_database.endpoint().engine}://", "mysql+pymysql://")
    engine = create_engine(url, pool_size=1, max_overflow=0)
    with from_engine(backend, engine) as reader:
        assert reader.scalar("SELECT 1") == 1
        with pytest.raises(ReadFailed):
            reader.tuples("CREATE TABLE t (x int)")
        with pytest.raises(UsageError, match="cannot be opened from an Engine"):
            reader.database("mysql")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (x int)"))
        assert connection.execute(text("SELECT @@sql_mode LIKE '%NO_BACKSLASH%'")).scalar() == 0
    engine.dispose()


# Writing


def make_twice(backend: Backend, database: Database) -> None:
    with writer(backend, database.endpoint(), resolve=resolve) as session, session.transaction():
        session.run("INSERT INTO t VALUES (1)")
        session.run("INSERT INTO t VALUES (1)")


def test_a_writer_commits_or_rolls_back_as_a_whole(mysql_database: Database, backend: Backend) -> None:
    mysql_database.sql("CREATE TABLE t (x int PRIMARY KEY)")
    with pytest.raises(DbopsError, match="Duplicate entry"):
        make_twice(backend, mysql_database)
    assert mysql_database.sql("SELECT * FROM t") == []
    with writer(backend, mysql_database.endpoint(), resolve=resolve) as session, session.transaction():
        session.run("INSERT INTO t VALUES (2)")
    assert mysql_database.sql("SELECT * FROM t") == [(2,)]


def ask_until_it_fails(reader: Reader) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        reader.scalar("SELECT 1")


@NEWEST
def test_a_server_that_dies_is_unreachable(private_mysql: Private, backend: Backend) -> None:
    server = private_mysql()
    with connect(backend, server.endpoint(), resolve=resolve) as reader:
        assert reader.scalar("SELECT 1") == 1
        server.kill()
        for _ in range(2):
            with pytest.raises(Unreachable) as caught:
                ask_until_it_fails(reader)
            assert caught.value.reason == "connect_failed"
        with pytest.raises(DbopsError), reader.snapshot():
            pytest.fail("there is no server")


def test_a_session_that_somebody_ended(mysql_database: Database, backend: Backend) -> None:
    with connect(backend, mysql_database.endpoint(), resolve=resolve) as reader:
        mysql_database.sql(f"KILL {reader.scalar('SELECT CONNECTION_ID()')}")
        with pytest.raises(Unreachable) as caught:
            ask_until_it_fails(reader)
    assert caught.value.reason == "connect_failed"


# TLS


@pytest.fixture(scope="module")
def certificates() -> Iterator[dict[str, Path]]:
    """An authority with a server's certificate for 127.0.0.1, and another authority that signed nothing."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    folder = Path(tempfile.mkdtemp(prefix="dbops-tls-", dir=own_server.temporary_directory(server_user())))
    now = dt.datetime.now(dt.UTC)

    def name(words: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, words)])

    def draft(subject: str, issuer: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer))
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=30))
        )  # fmt: skip

    authority = x509.BasicConstraints(ca=True, path_length=None)
    made: dict[str, Path] = {}
    keys = {word: ec.generate_private_key(ec.SECP256R1()) for word in ("ca", "other", "server")}
    for word in ("ca", "other"):
        signed = draft(word, word, keys[word]).add_extension(authority, critical=True).sign(keys[word], hashes.SHA256())
        made[word] = folder / f"{word}.pem"
        made[word].write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    address = x509.SubjectAlternativeName([x509.DNSName("db1.example")])
    signed = (
        draft("db1.example", "ca", keys["server"])
        .add_extension(address, critical=False)
        .sign(keys["ca"], hashes.SHA256())
    )
    made["cert"], made["key"] = folder / "cert.pem", folder / "key.pem"
    made["cert"].write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    made["key"].write_bytes(
        keys["server"].private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    own_server.hand_over(folder, server_user())
    folder.chmod(0o755)
    yield made
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def strict(
    mysql_series: Series, mysql_installation: Installation, certificates: dict[str, Path]
) -> Iterator[ThrowawayServer]:
    """A server that takes encrypted connections alone."""
    settings = {"ssl_cert": "cert", "ssl_key": "key", "ssl_ca": "ca"}
    tls = {name: os.fspath(certificates[word]) for name, word in settings.items()}
    with lent(mysql_series.family, mysql_installation, {**tls, "require_secure_transport": "ON"}) as server:
        server.login("anybody")
        yield server


def cipher(backend: Backend, endpoint: Endpoint, **options: str) -> str:
    named = {name.replace("_", "-"): value for name, value in options.items()}
    with connect(backend, msgspec.structs.replace(endpoint, options=named), resolve=resolve, timeout_s=30) as reader:
        return str(reader.tuples("SHOW SESSION STATUS LIKE 'Ssl_cipher'")[0][1])


def test_a_server_that_requires_tls_needs_no_option(strict: ThrowawayServer, backend: Backend) -> None:
    assert cipher(backend, strict.endpoint("anybody"))
    assert cipher(backend, strict.endpoint("anybody"), ssl_mode="REQUIRED")
    assert cipher(backend, strict.endpoint("anybody"), ssl_mode="PREFERRED")


def test_what_is_refused_without_tls_says_so(strict: ThrowawayServer, backend: Backend) -> None:
    # MariaDB 10.11 has no better words for it.
    with pytest.raises(NotPermitted, match=r"insecure transport are prohibited|Access denied") as caught:
        cipher(backend, strict.endpoint("anybody"), ssl_mode="DISABLED")
    assert (caught.value.reason, caught.value.code) == ("auth_failed", 77)


def test_the_certificate_is_looked_at(strict: ThrowawayServer, backend: Backend, certificates: dict[str, Path]) -> None:
    mine, other = str(certificates["ca"]), str(certificates["other"])
    assert cipher(backend, strict.endpoint("anybody"), ssl_mode="VERIFY_CA", ssl_ca=mine)
    for wrong in ({"ssl_mode": "VERIFY_CA", "ssl_ca": other}, {"ssl_mode": "VERIFY_IDENTITY", "ssl_ca": mine}):
        with pytest.raises(Unreachable, match="certificate verify failed") as caught:
            cipher(backend, strict.endpoint("anybody"), **wrong)
        assert caught.value.reason == "connect_failed"
    with pytest.raises(DbopsError, match=r"No such file"):
        cipher(backend, strict.endpoint("anybody"), ssl_mode="VERIFY_CA", ssl_ca="/no/such/file.pem")


@pytest.mark.mysql(family="mariadb", before="11.4")
def test_a_server_that_has_no_tls(mysql: ThrowawayServer, backend: Backend) -> None:
    """MariaDB makes itself a certificate since 11.4."""
    assert cipher(backend, mysql.endpoint(), ssl_mode="PREFERRED") == ""
    with pytest.raises(DbopsError, match=r"SSL") as caught:
        cipher(backend, mysql.endpoint(), ssl_mode="REQUIRED")
    assert caught.value.reason == "connect_failed"


@pytest.mark.mysql(family="mysql")
def test_a_password_over_tcp_without_tls(mysql_database: Database, backend: Backend) -> None:
    """caching_sha2_password: the first login sends it, encrypted with the server's public key; the next is answered
    from the server's memory."""
    mysql_database.server.login("sha")
    for _ in range(2):
        assert cipher(backend, mysql_database.server.endpoint("sha"), ssl_mode="DISABLED") == ""


def test_a_password_of_any_letters(mysql_database: Database, backend: Backend, tmp_path: Path) -> None:
    """As the server's own programs send it: in UTF-8."""
    secret = tmp_path / "password"
    secret.write_text("pässwörd € \U0001f600", encoding="utf-8")
    mysql_database.sql(f"CREATE USER polyglot@'%' IDENTIFIED BY {literal(secret.read_text(encoding='utf-8'))}")
    reference = SecretRef(f"file:{secret}")
    endpoint = msgspec.structs.replace(mysql_database.server.endpoint(), user="polyglot", password=reference)
    with connect(backend, endpoint, resolve=resolve) as reader:
        assert str(reader.scalar("SELECT CURRENT_USER()")).startswith("polyglot@")


# No session


def refused(
    backend: Backend, endpoint: Endpoint, kind: type[DbopsError], reason: str, code: int, *, timeout_s: float = 30
) -> str:
    with pytest.raises(kind) as caught, connect(backend, endpoint, resolve=resolve, timeout_s=timeout_s):
        pass
    assert (caught.value.reason, caught.value.code) == (reason, code)
    return str(caught.value)


@pytest.fixture
def password_file(tmp_path: Path) -> SecretRef:
    path = tmp_path / "secret"
    path.write_text("hunter2-and-more\n")
    return SecretRef(f"file:{path}")


def test_a_wrong_password_and_an_unknown_user(
    mysql: ThrowawayServer, backend: Backend, password_file: SecretRef
) -> None:
    for user in ("root", "no such user"):
        endpoint = msgspec.structs.replace(mysql.endpoint(), user=user, password=password_file)
        said = refused(backend, endpoint, NotPermitted, "auth_failed", 77)
        assert f"Access denied for user '{user}'@'localhost'" in said
        assert f"{backend.name}://{user}@127.0.0.1:{mysql.port}/" in said
        assert "hunter2" not in said


def test_accounts_that_are_not_let_in(mysql_database: Database, backend: Backend) -> None:
    server = mysql_database.server
    for name, option, said in (
        ("locked", "ACCOUNT LOCK", "locked"),
        ("expired", "PASSWORD EXPIRE", "expired"),
        ("tls_only", "REQUIRE X509", "Access denied"),
    ):
        server.login(name, option)
        assert said in refused(backend, server.endpoint(name), NotPermitted, "auth_failed", 77)


@NEWEST
def test_a_host_that_is_not_let_in(private_mysql: Private, backend: Backend) -> None:
    server = private_mysql(skip_name_resolve="ON")
    server.sql("DROP USER IF EXISTS root@127.0.0.1")
    said = refused(backend, server.endpoint(), NotPermitted, "auth_failed", 77)
    assert "is not allowed to connect" in said


def test_an_unknown_database(mysql_database: Database, backend: Backend) -> None:
    said = refused(backend, mysql_database.endpoint().at("no such database"), Unreachable, "unknown_database", 69)
    assert "Unknown database 'no such database'" in said


def test_a_database_that_is_closed_to_the_login(mysql_database: Database, backend: Backend) -> None:
    mysql_database.server.login("outsider")
    said = refused(backend, mysql_database.endpoint("outsider"), NotPermitted, "no_permission", 77)
    assert f"Access denied for user 'outsider'@'localhost' to database '{mysql_database.name}'" in said


@ONE
def test_nobody_listens(backend: Backend, password_file: SecretRef) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # kept: a port that nobody listens on, and nobody else gets
        port = free.getsockname()[1]
        endpoint = Endpoint(engine=backend.name, host="127.0.0.1", port=port, user="x", password=password_file)
        said = refused(backend, endpoint, Unreachable, "connect_failed", 69)
    assert f"127.0.0.1:{port}" in said
    assert "Can't connect to MySQL server on '127.0.0.1'" in said
    assert "hunter2" not in said


@ONE
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_socket_that_is_not_there(backend: Backend) -> None:
    gone = Endpoint(engine=backend.name, host="/no/such/socket", user="x")
    said = refused(backend, gone, Unreachable, "connect_failed", 69)
    assert "/no/such/socket" in said
    assert "No such file or directory" in said
    gc.collect()  # PyMySQL leaves the socket to the collector, which would warn of it in another test


@ONE
def test_a_name_that_nobody_knows(backend: Backend, password_file: SecretRef) -> None:
    endpoint = Endpoint(engine=backend.name, host="no-such-host.invalid", user="x", password=password_file)
    assert "no-such-host.invalid" in refused(backend, endpoint, Unreachable, "connect_failed", 69)


@ONE
def test_somebody_who_never_answers(backend: Backend, password_file: SecretRef) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        endpoint = Endpoint(engine=backend.name, host="127.0.0.1", port=port, user="x", password=password_file)
        refused(backend, endpoint, Unreachable, "timeout", 69, timeout_s=2)


@ONE
def test_somebody_who_speaks_something_else(backend: Backend, password_file: SecretRef) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        threading.Thread(target=_greet, args=(other,), daemon=True).start()
        port = other.getsockname()[1]
        endpoint = Endpoint(engine=backend.name, host="127.0.0.1", port=port, user="x", password=password_file)
        with pytest.raises(DbopsError) as caught, connect(backend, endpoint, resolve=resolve, timeout_s=2):
            pass
        assert f"127.0.0.1:{port}" in caught.value.message
        assert "hunter2" not in str(caught.value)


def _greet(server: socket.socket) -> None:
    with suppress(OSError):
        peer, _ = server.accept()
        with peer:
            peer.sendall(b"220 smtp.example ESMTP\r\n")
            peer.recv(100)


@NEWEST
def test_too_many_connections(private_mysql: Private, backend: Backend) -> None:
    server = private_mysql(max_connections="10")
    server.login("many")

    def fill(held: ExitStack) -> None:
        for _ in range(12):
            held.enter_context(connect(backend, server.endpoint("many"), resolve=resolve))

    with ExitStack() as held:
        with pytest.raises(Unreachable, match="Too many connections") as caught:
            fill(held)
        assert (caught.value.reason, caught.value.code) == ("too_many_connections", 69)
    server.sql("ALTER USER many@localhost WITH MAX_USER_CONNECTIONS 1")
    end = time.monotonic() + 60
    while server.sql("SELECT 1 FROM information_schema.processlist WHERE user = 'many'"):
        assert time.monotonic() < end, "its sessions do not end"
        time.sleep(0.05)
    with connect(backend, server.endpoint("many"), resolve=resolve):
        assert "max_user_connections" in refused(
            backend, server.endpoint("many"), Unreachable, "too_many_connections", 69
        )


# The user's own file


@NEWEST
def test_what_the_users_own_file_says(
    mysql: ThrowawayServer, backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = mysql.endpoint()
    password = resolve(own.password) if own.password else ""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".my.cnf").write_text(
        f"[client]\nuser = root\npassword = {password}\nsocket = {mysql.running.socket}\n"  # type: ignore[attr-defined]  # of MySQL's throwaway servers
    )
    with connect(backend, Endpoint(engine=backend.name), resolve=resolve) as reader:
        assert reader.scalar("SELECT CURRENT_USER()") == "root@localhost"
    # A host that is named is never swapped for the socket of the file, nor sent the password of it.
    named = Endpoint(engine=backend.name, host="127.0.0.1", port=mysql.port, user="root")
    said = refused(backend, named, NotPermitted, "auth_failed", 77)
    assert "(using password: NO)" in said
