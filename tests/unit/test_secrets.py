"""Secrets are named, fetched late, and never shown."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from dbops import process
from dbops.errors import ConfigError, DestinationExists, OutputError, ToolFailed
from dbops.plan import SecretRef
from dbops.process import Completed
from dbops.secrets import Secrets, make_up


def resolve(reference: str, env: dict[str, str] | None = None) -> str:
    return Secrets(env or {}).resolve(SecretRef(reference))


def refused(reference: str, env: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        resolve(reference, env)
    assert caught.value.code == 78
    return str(caught.value)


def test_from_the_environment() -> None:
    assert resolve("env:SHOP", {"SHOP": "hunter2"}) == "hunter2"
    assert refused("env:SHOP") == "the environment variable SHOP is not set\nSet SHOP before running dbops."
    assert "SHOP is empty" in refused("env:SHOP", {"SHOP": ""})


def test_the_environment_of_the_process_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "hunter2")
    assert Secrets().resolve(SecretRef("env:SHOP_PASSWORD")) == "hunter2"


def test_the_first_line_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"hunter2 \r\nsecond line\n")
    assert resolve(f"file:{path}") == "hunter2 "


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    assert refused(f"file:{path}") == f"the secret file {path} cannot be read: No such file or directory"
    path.write_bytes(b"\xff\xfe")
    assert refused(f"file:{path}") == f"the secret file {path} cannot be read: not UTF-8 text"
    path.write_text("\nhunter2\n")
    assert refused(f"file:{path}").startswith(f"the file {path} gave an empty secret")


def programs(monkeypatch: pytest.MonkeyPatch, code: int, stdout: str, stderr: str = "") -> list[list[str]]:
    """Nothing is run; what would have been is returned."""
    asked: list[list[str]] = []

    def run(argv: list[str], *, timeout: float) -> Completed:
        asked.append(argv)
        return Completed(argv=tuple(argv), returncode=code, stdout=stdout, stderr=stderr)

    monkeypatch.setattr(process, "run", run)
    return asked


def test_the_first_line_of_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = programs(monkeypatch, 0, "hunter2\nmore\n")
    assert resolve("cmd:pass show 'db shop'") == "hunter2"
    assert asked == [["pass", "show", "db shop"]]


def test_a_command_that_gives_no_secret_is_named_and_its_output_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    programs(monkeypatch, 3, "hunter2", "hunter2")
    assert refused("cmd:pass show") == "the secret command 'pass' ended with exit code 3"
    programs(monkeypatch, 0, "\n")
    assert refused("cmd:pass show").startswith("the command 'pass' gave an empty secret")


def test_a_command_that_cannot_be_started_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(argv: list[str], *, timeout: float) -> Completed:
        raise ToolFailed("/nowhere/pass cannot be started: No such file")

    monkeypatch.setattr(process, "run", fail)
    said = "the secret command '/nowhere/pass' failed: /nowhere/pass cannot be started: No such file"
    assert refused("cmd:/nowhere/pass show") == said


def test_a_command_that_makes_no_words() -> None:
    assert refused("cmd:pass 'show").startswith("the secret command cannot be read: No closing quotation")
    assert refused("cmd: ").startswith("the secret command is empty")


def test_from_a_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {("db", "app"): "hunter2"}
    fake = SimpleNamespace(get_password=lambda service, user: kept.get((service, user)))
    monkeypatch.setitem(sys.modules, "keyring", fake)
    assert resolve("keyring:db/app") == "hunter2"
    assert refused("keyring:db/other") == "the keyring has no password for db/other"


def test_without_the_keyring_package_the_command_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    assert refused("keyring:db/app") == "the package 'keyring' is not installed\npip install keyring"


class FakeAws:
    """Answers as boto3's client does."""

    def __init__(self, text: str | None) -> None:
        self.text = text

    def client(self, service: str) -> FakeAws:
        assert service == "secretsmanager"
        return self

    def get_secret_value(self, SecretId: str) -> dict[str, str]:
        from botocore.exceptions import ClientError

        if self.text is None:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "GetSecretValue")
        return {"SecretString": self.text} if SecretId == "db/shop" else {}


def test_from_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", FakeAws("hunter2"))
    assert resolve("aws-secretsmanager:db/shop") == "hunter2"
    assert refused("aws-secretsmanager:binary") == "the AWS secret 'binary' holds no text"
    assert refused("aws-secretsmanager:db/shop#password") == "the AWS secret 'db/shop' has no key 'password'"
    monkeypatch.setitem(sys.modules, "boto3", FakeAws('{"password": "hunter2", "port": 5432}'))
    assert resolve("aws-secretsmanager:db/shop#password") == "hunter2"
    assert resolve("aws-secretsmanager:db/shop#port") == "5432"
    assert "hunter2" not in refused("aws-secretsmanager:db/shop#user")
    monkeypatch.setitem(sys.modules, "boto3", FakeAws(None))
    assert refused("aws-secretsmanager:db/shop") == "AWS Secrets Manager gave no secret 'db/shop': ClientError"


def test_a_literal_lives_in_this_process_only() -> None:
    secrets = Secrets({})
    first, second = secrets.literal("hunter2"), secrets.literal("hunter3")
    assert [secrets.resolve(first), secrets.resolve(second)] == ["hunter2", "hunter3"]
    assert "hunter" not in f"{first} {second!r} {secrets!r}"
    with pytest.raises(ConfigError, match="not kept in a plan") as caught:
        Secrets({}).resolve(second)
    assert "env:NAME" in caught.value.hint


@pytest.mark.parametrize("reference", ["vault:x", "hunter2", "literal:x", "literal:-1"])
def test_an_unknown_kind_is_refused(reference: str) -> None:
    assert "env:NAME" in refused(reference)


def test_a_secret_that_nobody_chose(tmp_path: Path) -> None:
    place = tmp_path / "alice"
    make_up(place)
    assert place.stat().st_mode & 0o777 == 0o600
    found = resolve(f"file:{place}")
    assert len(found) >= 32
    with pytest.raises(DestinationExists, match="is there already") as caught:
        make_up(place)
    assert f"--password file:{place} gives it to all" in caught.value.hint
    make_up(place, again=True)
    assert resolve(f"file:{place}") == found
    with pytest.raises(OutputError, match="cannot be written: No such file or directory"):
        make_up(tmp_path / "nowhere" / "alice", again=True)


@pytest.mark.parametrize("kind", ["others may read it", "a link", "nothing in it"])
def test_what_a_stopped_run_left_is_taken_only_when_it_is_ours_alone(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "alice"
    make_up(place)
    if kind == "others may read it":
        place.chmod(0o640)
    elif kind == "a link":
        place.rename(tmp_path / "other")
        place.symlink_to(tmp_path / "other")
    else:
        place.write_text("")
    with pytest.raises(DestinationExists):
        make_up(place, again=True)
