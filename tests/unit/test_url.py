"""Database URLs: every character survives, and no password is ever shown."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dbops.errors import UsageError
from dbops.model.server import Endpoint
from dbops.secrets import Secrets
from dbops.url import is_url, parse_url

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


def parsed(text: str) -> Endpoint:
    return parse_url(text, None)[0]


@given(names, names, names)
@example('we"ird', "p@ss:w/rd#?%", "100%")
@example("a", "hunter2", "; drop table x; --")
def test_special_characters_survive_and_the_password_is_never_shown(user: str, password: str, database: str) -> None:
    secret = f"hunter2{password}"
    secrets = Secrets({})
    url = f"postgresql://{quote(user, safe='')}:{quote(secret, safe='')}@db1:5433/{quote(database, safe='')}"
    endpoint, carried = parse_url(url, secrets.literal)
    assert carried
    assert (endpoint.user, endpoint.host, endpoint.port) == (user, "db1", 5433)
    assert endpoint.database == database
    assert endpoint.password is not None
    assert secrets.resolve(endpoint.password) == secret
    for shown in (str(endpoint), repr(endpoint), repr(secrets), str(secrets), repr(endpoint.password)):
        assert "hunter2" not in shown


@given(names)
def test_no_error_repeats_what_may_be_a_password(noise: str) -> None:
    for url in (
        f"postgresql://u:hunter2{noise}@h:port/db",
        f"hunter2{noise}",
        f"postgresql://[hunter2{noise}",
        f"postgresql://u@h/db?port=hunter2{noise}",
        f"postgresql://u@h/db#hunter2{noise}",
        f"postgresql://u@h/db?sslpassword=hunter2{quote(noise)}",
    ):
        assert "hunter2" not in said_about(url)


def said_about(url: str) -> str:
    try:
        return str(parsed(url))  # a slash or a question mark in the noise may make a URL of it
    except UsageError as error:
        return str(error)


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("postgresql://", Endpoint(engine="postgresql")),
        ("postgres:///shop", Endpoint(engine="postgres", database="shop")),
        ("PostgreSQL://DB1.Example/shop", Endpoint(engine="postgresql", host="DB1.Example", database="shop")),
        ("mysql+pymysql://u@h:3307/", Endpoint(engine="mysql+pymysql", user="u", host="h", port=3307)),
        ("postgresql://[::1]:5433/x", Endpoint(engine="postgresql", host="::1", port=5433, database="x")),
        ("postgresql://u@%2FRun%2FSock/x", Endpoint(engine="postgresql", user="u", host="/Run/Sock", database="x")),
        (
            "postgresql:///x?host=/run/pg&port=5433&user=u&sslmode=require",
            Endpoint(
                engine="postgresql",
                host="/run/pg",
                port=5433,
                user="u",
                database="x",
                options={"sslmode": "require"},
            ),
        ),
        ("mssql://s/d?TrustServerCertificate=", Endpoint(
            engine="mssql", host="s", database="d", options={"TrustServerCertificate": ""}
        )),
        ("postgresql://h/d?passfile=/x", Endpoint(
            engine="postgresql", host="h", database="d", options={"passfile": "/x"}
        )),
    ],
)  # fmt: skip
def test_the_parts_of_a_url(url: str, endpoint: Endpoint) -> None:
    assert parsed(url) == endpoint


@pytest.mark.parametrize("option", ["password", "PWD", "passwd"])
def test_a_password_among_the_options_is_a_password(option: str) -> None:
    secrets = Secrets({})
    endpoint, carried = parse_url(f"postgresql://u@h/d?{urlencode({option: 'hunter2'})}", secrets.literal)
    assert carried
    assert endpoint.options == {}
    assert endpoint.password is not None
    assert secrets.resolve(endpoint.password) == "hunter2"


def test_the_password_before_the_host_wins_and_the_other_stays_nowhere() -> None:
    secrets = Secrets({})
    endpoint, _ = parse_url("postgresql://u:first@h/d?password=second", secrets.literal)
    assert endpoint.password is not None
    assert secrets.resolve(endpoint.password) == "first"
    assert "second" not in repr(endpoint)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("shop", "--to: not a database URL"),
        ("://h", "--to: not a database URL"),
        ("postgresql://h:99999/d", "--to: the port is not a number from 0 to 65535"),
        ("postgresql://h:x/d", "--to: the port is not a number from 0 to 65535"),
        ("postgresql://h/d?port=70000", "--to: the port is not a number from 0 to 65535"),
        ("postgresql://h/d?port=²", "--to: the port is not a number from 0 to 65535"),
        ("postgresql://[::1/d", "--to: it is malformed"),
        ("postgresql://h/d#1", "--to: it holds a bare '#', after which nothing would be read"),
        ("postgresql://h/d#", "--to: it holds a bare '#', after which nothing would be read"),
        ("postgresql://h/d?sslpassword=x", "--to: the option sslpassword is a secret, which a URL must not carry"),
    ],
)
def test_what_is_no_url_is_refused(url: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_url(url, None, "--to")
    assert caught.value.message == message
    assert caught.value.code == 2


@pytest.mark.parametrize(("text", "answer"), [("postgresql://x", True), ("my+drv_2://", True), ("shop", False)])
def test_a_name_is_no_url(text: str, answer: bool) -> None:
    assert is_url(text) is answer


def test_an_endpoint_as_text() -> None:
    assert str(parsed("postgresql://u@h:1/d")) == "postgresql://u@h:1/d"
    assert str(parsed("postgresql://")) == "postgresql://local/"
    assert str(parsed("postgresql://h/d").at("other")) == "postgresql://h/other"
