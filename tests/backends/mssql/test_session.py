"""How sessions are set up: nothing is connected to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.errors import ConfigError, UsageError
from dbops.model.server import Endpoint, Session
from dbops_mssql.driver import Driver
from dbops_mssql.session import quoted, session

MICROSOFT = Driver("/w/libmsodbcsql.so", "microsoft", "wheel")
FREETDS = Driver("FreeTDS", "freetds", "installed")


def made(driver: Driver = MICROSOFT, *, read_only: bool = True, timeout_s: float = 5, **parts: object) -> Session:
    fields = {"engine": "mssql", "host": "db1", "user": "dbops", **parts}
    endpoint = Endpoint(**fields)  # type: ignore[arg-type]  # the fields of a test
    return session(endpoint, read_only=read_only, timeout_s=timeout_s, driver=lambda _given: driver)


def arguments(found: Session, password: str | None = "secret") -> Mapping[str, object]:
    assert found.login
    return found.login(password)


def test_microsoft_s_driver_encrypts_and_verifies_by_name() -> None:
    found = arguments(made(port=1433, database="shop"))
    assert found == {
        "DRIVER": "{/w/libmsodbcsql.so}", "SERVER": "{db1,1433}", "DATABASE": "{shop}", "ConnectRetryCount": "{0}",
        "Encrypt": "{yes}", "TrustServerCertificate": "{no}", "UID": "{dbops}", "PWD": "{secret}",
    }  # fmt: skip


def test_options_of_the_url_go_to_the_driver_whatever_their_case() -> None:
    found = arguments(made(options={"ENCRYPT": "strict", "ApplicationIntent": "ReadOnly", "driver": "x"}))
    assert found["Encrypt"] == "{strict}"
    assert found["applicationintent"] == "{ReadOnly}"
    assert not {"ENCRYPT", "driver"} & found.keys()


@pytest.mark.parametrize("name", ["Server", "UID", "DATABASE", "dsn", "Addr"])
def test_another_server_cannot_be_named_by_an_option(name: str) -> None:
    with pytest.raises(UsageError, match=f"the option {name.lower()} is a part of the URL"):
        made(options={name: "evil"})


def test_a_named_instance_is_part_of_the_host() -> None:
    assert arguments(made(host="db1\\SALES"))["SERVER"] == "{db1\\SALES}"
    assert arguments(made(host=None))["SERVER"] == "{localhost}"


def test_without_a_user_the_system_s_own_logs_in() -> None:
    found = arguments(made(user=None), None)
    assert found["Trusted_Connection"] == "yes"
    assert not {"UID", "PWD"} & found.keys()
    asked = arguments(made(user=None, options={"Trusted_Connection": "no"}), None)
    assert "Trusted_Connection" not in asked


def test_a_way_of_entra_that_the_driver_knows() -> None:
    found = arguments(made(user=None, options={"Authentication": "ActiveDirectoryMsi"}), None)
    assert found["Authentication"] == "ActiveDirectoryMsi"
    assert "Trusted_Connection" not in found


def test_a_token_is_an_attribute_and_stands_in_no_string() -> None:
    found = arguments(made(user=None, options={"authentication": "activedirectoryaccesstoken"}), "ab")
    assert found["attrs_before"] == {1256: b"\4\0\0\0a\0b\0"}
    assert not {"UID", "PWD", "Authentication", "Trusted_Connection"} & found.keys()
    for nothing in (None, ""):
        with pytest.raises(ConfigError, match="takes the token as the password"):
            arguments(made(user=None, options={"authentication": "ActiveDirectoryAccessToken"}), nothing)


@given(st.text())
def test_a_value_is_quoted_so_that_it_ends_where_it_ends(value: str) -> None:
    found = quoted(value, MICROSOFT)
    assert (found[0], found[-1]) == ("{", "}")
    assert "}" not in found[1:-1].replace("}}", "")
    assert found[1:-1].replace("}}", "}") == value


def test_freetds_is_used_where_nobody_wants_the_certificate_verified() -> None:
    with pytest.raises(ConfigError, match="does not verify the server's certificate") as caught:
        made(FREETDS)
    assert "TrustServerCertificate=yes" in caught.value.hint
    assert arguments(made(FREETDS, port=1433, options={"TrustServerCertificate": "Yes"})) == {
        "DRIVER": "{FreeTDS}", "SERVER": "{db1}", "PORT": "{1433}", "TDS_Version": "{7.4}", "Encryption": "{require}",
        "UID": "{dbops}", "PWD": "{secret}",
    }  # fmt: skip
    assert arguments(made(FREETDS, options={"Encrypt": "no"}))["Encryption"] == "{off}"


def test_freetds_is_not_told_what_it_would_cut_off() -> None:
    found = made(FREETDS, options={"Encrypt": "no"})
    assert arguments(found, "a}b")["PWD"] == "{a}b}"
    with pytest.raises(ConfigError, match="cannot be told to the ODBC driver of FreeTDS") as caught:
        arguments(found, "pass};word")
    assert "pass" not in str(caught.value).replace("password", "")


def test_mssql_python_gets_the_parts_of_the_url() -> None:
    found = made(engine="mssql+mssqlpython", options={"MultiSubnetFailover": "yes"})
    assert (found.drivername, found.login) == ("mssql+mssqlpython", None)
    assert found.query == {
        "Encrypt": "yes", "TrustServerCertificate": "no", "ConnectRetryCount": "0", "database": "master",
        "multisubnetfailover": "yes",
    }  # fmt: skip
    assert "database" not in made(engine="mssql+mssqlpython", database="shop").query
    assert made(engine="mssql+mssqlpython", user=None).query["Trusted_Connection"] == "yes"
    way = {"Authentication": "ActiveDirectoryDefault"}
    assert made(engine="mssql+mssqlpython", user=None, options=way).query["Authentication"] == "ActiveDirectoryDefault"


@pytest.mark.parametrize(
    ("options", "said"),
    [({"LoginTimeout": "5"}, "has no option logintimeout"), ({"Authentication": "ActiveDirectoryAccessToken"}, "is for mssql://")],
)  # fmt: skip
def test_what_mssql_python_does_not_take(options: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        made(engine="mssql+mssqlpython", options=options)


@pytest.mark.parametrize(("seconds", "rounded"), [(0.2, 1), (5, 5), (5.1, 6)])
def test_a_reader_is_bounded_and_a_writer_waits_for_locks_alone(seconds: float, rounded: int) -> None:
    reader, writer = made(timeout_s=seconds), made(read_only=False, timeout_s=seconds)
    assert cast("int", reader.connect["timeout"]) == rounded
    assert (reader.attributes, writer.attributes) == ({"timeout": rounded}, {"timeout": 0})
    assert "LOCK_TIMEOUT 1000;" in reader.preamble[0]
    assert f"LOCK_TIMEOUT {round(seconds * 1000)};" in writer.preamble[0]
