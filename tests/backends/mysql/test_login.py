"""Option files for client programs: every value is one value, whatever is in it, and the way is the session's."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.model.server import Endpoint
from dbops.plan import SecretRef
from dbops_mysql.login import option_file, option_text


def endpoint(**more: Any) -> Endpoint:  # Any: whatever Endpoint takes
    return Endpoint(**{"engine": "mysql", "host": "db1", "user": "u", **more})


def options(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


@given(st.text(min_size=1))
def test_a_password_is_one_quoted_value_on_one_line(password: str) -> None:
    text = option_text(endpoint(), password, "mysql")
    (line,) = [one for one in text.split("\n") if one.startswith("password=")]
    assert line.endswith('"')
    inner = line.removeprefix('password="').removesuffix('"')
    read = inner
    for letter, escape in (("\b", "\\b"), ("\t", "\\t"), ("\r", "\\r"), ("\n", "\\n"), ('"', '\\"')):
        read = read.replace("\\\\", "\0").replace(escape, letter).replace("\0", "\\\\")
    assert read.replace("\\\\", "\\") == password or "\0" in password


def test_a_host_is_reached_by_its_port_and_a_directory_by_its_socket() -> None:
    far = options(option_text(endpoint(host="localhost", port=3307), "", "mysql"))
    assert (far["host"], far["port"], far["protocol"]) == ('"localhost"', '"3307"', '"tcp"')
    assert "password" not in far
    near = options(option_text(endpoint(host="/run/mysqld/mysqld.sock"), "", "mysql"))
    assert (near["socket"], near["protocol"]) == ('"/run/mysqld/mysqld.sock"', '"socket"')
    assert "host" not in near


def test_without_a_host_the_user_s_own_file_says_the_rest_and_nothing_about_dumps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert "socket" not in options(option_text(endpoint(host=None), "", "mysql"))
    (tmp_path / ".my.cnf").write_text(
        "[client]\nsocket = /run/s.sock\npassword='p\"w'\nuser=other\nquick\n"
        "[mysqldump]\nignore-table=shop.orders\nno-data\n"
    )
    found = options(option_text(endpoint(host=None), "", "mysql"))
    assert (found["socket"], found["password"], found["user"]) == ('"/run/s.sock"', '"p\\"w"', '"u"')
    assert not {"ignore-table", "no-data", "quick"} & set(found)
    assert "socket" not in options(option_text(endpoint(), "", "mysql"))


@pytest.mark.parametrize(
    ("family", "mode", "said"),
    [
        ("mysql", "VERIFY_CA", {"ssl-mode": '"VERIFY_CA"', "ssl-ca": '"/ca"'}),
        ("mysql", "", {"ssl-mode": '"PREFERRED"'}),
        ("mariadb", "VERIFY_CA", {"ssl": '"1"', "ssl-verify-server-cert": '"1"', "ssl-ca": '"/ca"'}),
        ("mariadb", "disabled", {"ssl": '"0"'}),
        ("mariadb", "", {"loose-ssl-verify-server-cert": '"0"'}),
    ],
)
def test_tls_in_the_words_of_each_family(family: Literal["mysql", "mariadb"], mode: str, said: dict[str, str]) -> None:
    given = {"ssl_mode": mode, "ssl_ca": "/ca"} if mode.startswith("VERIFY") else {"ssl-mode": mode} if mode else {}
    found = options(option_text(endpoint(options=given), "", family))
    assert {name: value for name, value in found.items() if "ssl" in name} == said


def test_the_file_is_ours_alone(tmp_path: Path) -> None:
    runtime = cast(Any, SimpleNamespace(workdir=lambda: tmp_path, secret=lambda ref: "hunter2"))  # Any: a Runtime
    path = option_file(endpoint(password=SecretRef("env:X")), runtime, "mysql")
    assert path.stat().st_mode & 0o777 == 0o600
    assert 'password="hunter2"' in path.read_text("utf-8")
