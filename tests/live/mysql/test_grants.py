"""Each login that `dbops grants` describes, on a real server; and nobody gets in before it has a password."""

from __future__ import annotations

import pymysql
import pytest

from dbops import registry
from dbops.testing.servers import Database
from dbops_mysql.grants import JOBS, SECTIONS
from dbops_mysql.quoting import account, literal

HOSTILE = ("`; drop table x; --", ":login", 'it\'s a 50% \\ "name"', "Grüße.ω", "trailing`")
NEWEST = pytest.mark.mysql(newest=True)


def jobs_of(engine: str) -> list[str]:
    return [job for job in JOBS if job in SECTIONS[engine]]


@NEWEST
@pytest.mark.parametrize("name", HOSTILE)
def test_the_text_can_be_run_again_and_with_any_name(mysql_database: Database, name: str) -> None:
    server = mysql_database.server
    engine = server.endpoint().engine
    written = f"{literal(name)}@'10.0.0.%'" if "\\" not in name else name
    text = registry.backend(engine).grants(jobs_of(engine), written, server.version)
    for _ in range(2):
        server.sql(text)
    host = "%" if "\\" in name else "10.0.0.%"
    assert (name, host) in server.sql("SELECT User, Host FROM mysql.user")
    grants = " ".join(row[0] for row in server.sql(f"SHOW GRANTS FOR {account(name, host)}"))
    assert "PROCESS" in grants
    assert "ALL PRIVILEGES" not in grants
    assert "SUPER" not in grants


def test_a_new_account_is_locked_until_it_has_a_password(mysql_database: Database) -> None:
    server = mysql_database.server
    engine = server.endpoint().engine
    text = registry.backend(engine).grants(["health"], "fresh")
    server.sql(text)
    with pytest.raises(pymysql.OperationalError, match=r"(?i)locked"):
        pymysql.connect(unix_socket=str(server.running.socket), user="fresh", password="")  # type: ignore[attr-defined]  # of MySQL's throwaway servers
    (told,) = [line for line in text.splitlines() if "ACCOUNT UNLOCK" in line]
    server.sql(told.removeprefix("--").strip().replace("…", "a-Long_one.7"))
    with pymysql.connect(host="127.0.0.1", port=server.port, user="fresh", password="a-Long_one.7") as session:
        assert session.open
    server.sql(text)
    with pymysql.connect(host="127.0.0.1", port=server.port, user="fresh", password="a-Long_one.7") as session:
        assert session.open, "to run it again takes nothing away"
    server.sql("DROP USER fresh")
