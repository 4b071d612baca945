"""The frame of the command line: help, failures, exit codes, output."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest

from dbops import __version__, errors
from dbops.cli import failure, main, output
from dbops.cli.main import COMMANDS, Entry, cli, run
from dbops.cli.options import Duration, targets
from dbops.errors import DbopsError, OutputError, UsageError
from dbops.model.finding import Missing
from dbops.plan import Plan, load_plan

DBOPS = (sys.executable, "-m", "dbops")
PASSWORD = "hunter2-secret"
Function = Callable[..., Any]
Install = Callable[[Function], None]
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Install:
    """Lets a test put a command of its own behind the name ``probe``."""

    def install(function: Function) -> None:
        made = click.command()(function)
        monkeypatch.setattr(main, "probe", made, raising=False)
        monkeypatch.setitem(COMMANDS, "probe", Entry("dbops.cli.main", "probe", "A test."))

    return install


def raising(error: BaseException) -> Function:
    @click.option("--format", "format_", default="text")
    def probe(format_: str) -> None:
        raise error

    return probe


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_lists_every_command_that_is_there(flag: str, capsys: Capture) -> None:
    assert run([flag]) == 0
    shown = capsys.readouterr().out
    for name in cli.list_commands(click.Context(cli)):
        assert f"\n  {name} " in shown
        assert COMMANDS[name].help in shown


@pytest.mark.parametrize("name", cli.list_commands(click.Context(cli)))
def test_every_command_has_help(name: str, capsys: Capture) -> None:
    assert run([name, "-h"]) == 0
    assert "Usage: dbops" in capsys.readouterr().out


def test_a_command_whose_module_is_missing_is_not_there(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setitem(COMMANDS, "ghost", Entry("dbops.cli.ghost", "ghost", "Not there."))
    assert run(["--help"]) == 0
    assert "ghost" not in capsys.readouterr().out
    assert run(["ghost"]) == 2


def test_version(capsys: Capture) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"dbops, version {__version__}\n"


def test_an_unknown_command_names_the_nearest(capsys: Capture) -> None:
    assert run(["tragets"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "dbops: there is no command 'tragets'; is 'targets' meant?" in shown.err
    assert "Try 'dbops --help'." in shown.err


def test_no_command_shows_the_help_and_is_wrong_use(capsys: Capture) -> None:
    assert run([]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("Usage: dbops")


def test_an_unknown_option_is_wrong_use(capsys: Capture) -> None:
    assert run(["targets", "list", "--nonsense"]) == 2
    assert "Try 'dbops targets list --help'." in capsys.readouterr().err


NAMED = [getattr(errors, name) for name in errors.__all__]
EVERY_ERROR = [found for found in NAMED if isinstance(found, type) and found is not DbopsError]


@pytest.mark.parametrize("kind", EVERY_ERROR)
def test_every_error_becomes_its_code(kind: type[DbopsError], command: Install, capsys: Capture) -> None:
    command(raising(kind("db1: it broke", hint="Mend it.")))
    assert run(["probe"]) == kind.code
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "dbops: db1: it broke\nMend it.\n")


def test_a_failure_is_one_json_document(command: Install, capsys: Capture) -> None:
    command(raising(errors.Unreachable("db1: refused", hint="Is it up?")))
    assert run(["probe", "--format", "json"]) == 69
    document = json.loads(capsys.readouterr().out)
    assert document["error"] == {"class": "Unreachable", "code": 69, "message": "db1: refused", "hint": "Is it up?"}
    assert document["schema"] == "dbops.error/1"
    assert document["dbops"] == __version__
    assert datetime.fromisoformat(document["generated_at"]).tzinfo is not None


@pytest.mark.parametrize("arguments", [["--format=json"], ["-fjson"], ["-f", "json"], ["-yf", "json"], ["-yfjson"]])
def test_json_is_recognised_where_the_command_line_is_wrong(arguments: list[str], capsys: Capture) -> None:
    assert run(["targets", "list", "--nonsense", *arguments]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == 2


def test_a_bug_is_70_with_places_and_no_values(command: Install, capsys: Capture) -> None:
    def probe() -> None:
        secret = "local-value"
        raise KeyError(f"postgresql://dbops:{PASSWORD}@db1/shop", len(secret))

    command(probe)
    assert run(["probe"]) == 70
    shown = capsys.readouterr().err
    assert "dbops: a bug in dbops: KeyError" in shown
    assert "test_main.py" in shown
    assert "in probe" in shown
    assert PASSWORD not in shown
    assert "local-value" not in shown


def test_an_interruption_is_130_and_says_how_to_go_on(command: Install, capsys: Capture) -> None:
    command(raising(KeyboardInterrupt()))
    assert run(["probe"]) == 130
    shown = capsys.readouterr().err
    assert "dbops: interrupted; what was open has been closed" in shown
    assert "Run the same command again to go on." in shown


def test_a_commands_value_is_its_exit_code(command: Install) -> None:
    def probe() -> int:
        return 76

    command(probe)
    assert run(["probe"]) == 76


SLEEPER = """
import sys, time
from dbops.cli import main
import click
@click.command()
def probe():
    print("ready", flush=True)
    time.sleep(30)
main.probe = probe
main.COMMANDS["probe"] = main.Entry("dbops.cli.main", "probe", "")
sys.argv = ["dbops", "probe"]
main.main()
"""


@pytest.mark.parametrize(("number", "word"), [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "terminated")])
def test_a_signal_ends_the_process_with_130(number: signal.Signals, word: str) -> None:
    child = subprocess.Popen([sys.executable, "-c", SLEEPER], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    child.send_signal(number)
    _, said = child.communicate(timeout=60)
    assert child.returncode == 130
    assert said.startswith(f"dbops: {word};")
    assert "Traceback" not in said


def test_a_reader_that_goes_away_is_no_noise() -> None:
    child = subprocess.Popen([*DBOPS, "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.close()
    assert child.stderr is not None
    with child.stderr:
        said = child.stderr.read()
    assert child.wait(60) in (0, OutputError.code)
    assert said == b""


@pytest.mark.parametrize(("shell", "sign"), [("bash", "complete -o"), ("zsh", "#compdef"), ("fish", "complete --")])
def test_shell_completion(shell: str, sign: str) -> None:
    env = {**os.environ, "_DBOPS_COMPLETE": f"{shell}_source"}
    done = subprocess.run(DBOPS, capture_output=True, text=True, check=False, env=env)
    assert sign in done.stdout
    words = {"_DBOPS_COMPLETE": "zsh_complete", "COMP_WORDS": "dbops tar", "COMP_CWORD": "1"}
    offered = subprocess.run(DBOPS, capture_output=True, text=True, check=False, env={**os.environ, **words})
    assert "targets" in offered.stdout.splitlines()


def test_python_m_dbops() -> None:
    done = subprocess.run([*DBOPS, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"dbops, version {__version__}\n"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("postgresql://u:pw@h/d", "postgresql://u:***@h/d"),
        ("password=pw host=h", "password=*** host=h"),
        ("Password = 'p w' x", "Password = *** x"),
        ('password = "p w" x', "password = *** x"),
        ('Write password = "env:NAME" beside', 'Write password = "env:NAME" beside'),
        ("ALTER ROLE a PASSWORD 'it''s'", "ALTER ROLE a PASSWORD '***'"),
        ("x SCRAM-SHA-256$4096:abc= y", "x *** y"),
        ("AGE-SECRET-KEY-1QQQ", "***"),
        ("nothing here", "nothing here"),
    ],
)
def test_what_looks_like_a_secret_is_taken_out(text: str, clean: str) -> None:
    assert failure.scrub(text, env={}) == clean


def test_secrets_are_known_by_the_names_of_their_variables_and_by_the_arguments() -> None:
    env = {"SHOP_PASSWORD": PASSWORD, "API_TOKEN": "tok", "HOME": "/root/home"}
    arguments = [f"postgresql://u:{PASSWORD}2@h/d"]
    text = f"{PASSWORD} tok /root/home {PASSWORD}2"
    assert failure.scrub(text, arguments, env) == "*** tok /root/home ***2"


def test_a_password_in_a_url_works_with_a_warning(command: Install, capsys: Capture) -> None:
    @targets
    def probe(targets: tuple[str, ...]) -> None:
        click.echo(len(targets))

    command(probe)
    assert run(["probe", "shop", f"postgresql://u:{PASSWORD}@h/d"]) == 0
    shown = capsys.readouterr()
    assert shown.out == "2\n"
    assert "warning: a password in a URL" in shown.err
    assert 'password = "env:NAME"' in shown.err
    assert PASSWORD not in shown.err


@pytest.mark.parametrize("word", ["shop", "postgresql://u@h/d", "postgresql://h:5432/d", "postgresql://u@h/d?a=b:c@d"])
def test_no_password_no_warning(word: str, command: Install, capsys: Capture) -> None:
    @targets
    def probe(targets: tuple[str, ...]) -> None:
        pass

    command(probe)
    assert run(["probe", word]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(("text", "seconds"), [("30", 30), ("1.5", 1.5), ("2m", 120), ("1h30m", 5400)])
def test_durations(text: str, seconds: float) -> None:
    assert Duration().convert(text, None, None) == seconds


def test_a_wrong_duration_shows_the_forms() -> None:
    with pytest.raises(click.BadParameter, match="30s, 15m, 2h"):
        Duration().convert("soon", None, None)


def test_emit_json_has_the_envelope_and_every_field(capsys: Capture) -> None:
    now = datetime(2026, 1, 31, 2, 15, tzinfo=UTC)
    result = {"size": Missing("no_permission", "needs pg_monitor"), "none": None, "at": now}
    output.emit(result, schema="dbops.x.y/1", format="json", target="shop", status="ok", now=now)
    assert json.loads(capsys.readouterr().out) == {
        "schema": "dbops.x.y/1",
        "generated_at": "2026-01-31T02:15:00+00:00",
        "dbops": __version__,
        "target": {"name": "shop", "engine": None, "address": None},
        "status": "ok",
        "size": {"missing": "no_permission", "detail": "needs pg_monitor"},
        "none": None,
        "at": "2026-01-31T02:15:00+00:00",
    }


def test_emit_writes_into_a_file_and_not_to_stdout(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "out.txt"
    output.emit(3, schema="", output=str(path), renderers={"text": lambda n: f"{n}\n"})
    assert path.read_text() == "3\n"
    assert capsys.readouterr().out == ""
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_gets_the_rights_of_the_one_it_replaces(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("old")
    path.chmod(0o600)
    output.write("new", str(path))
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o600)
    fresh = tmp_path / "fresh"
    old = os.umask(0o027)
    try:
        output.write("new", str(fresh))
    finally:
        os.umask(old)
    assert fresh.stat().st_mode & 0o777 == 0o640


def test_what_cannot_be_written_is_73_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written: No such file or directory") as caught:
        output.write("x", str(tmp_path / "absent" / "out"))
    assert caught.value.code == 73
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match="cannot be written: Is a directory"):
        output.write("x", str(tmp_path / "folder"))
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


PLAN = Plan(
    noun="users.apply", target="shop", engine="postgresql", created_at=datetime(2026, 1, 1, tzinfo=UTC), steps=()
)


def test_a_plan_is_saved_in_a_file_because_the_answer_is_printed(tmp_path: Path, capsys: Capture) -> None:
    output.save(PLAN, str(tmp_path / "plan.json"))
    assert load_plan((tmp_path / "plan.json").read_bytes()) == PLAN
    with pytest.raises(UsageError, match="a plan is saved in a file"):
        output.save(PLAN, "-")
    assert capsys.readouterr().out == ""


def test_without_a_terminal_a_plan_needs_yes(capsys: Capture) -> None:
    with pytest.raises(UsageError, match="there is no terminal to ask on") as caught:
        output.confirm(PLAN, yes=False)
    assert "--yes" in caught.value.hint
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "users.apply for shop" in shown.err


def test_yes_shows_the_plan_and_goes_on(capsys: Capture) -> None:
    output.confirm(PLAN, yes=True)
    assert "users.apply for shop" in capsys.readouterr().err


@pytest.mark.parametrize(("answer", "declined"), [("y\n", False), ("n\n", True), ("\n", True)])
def test_on_a_terminal_it_asks(answer: str, declined: bool) -> None:
    code, said = on_a_terminal(answer)
    assert code == (2 if declined else 0)
    assert "Carry this out? [y/N]" in said
    assert ("nothing was done: declined" in said) is declined


ASKER = """
from datetime import UTC, datetime
from dbops.cli import main, output
from dbops.plan import Plan
import click, sys
@click.command()
def probe():
    output.confirm(Plan(noun="x.y", target="t", engine="e", created_at=datetime.now(UTC), steps=()), yes=False)
main.probe = probe
main.COMMANDS["probe"] = main.Entry("dbops.cli.main", "probe", "")
sys.exit(main.run(["probe"]))
"""


def on_a_terminal(answer: str) -> tuple[int, str]:
    import pty

    ours, theirs = pty.openpty()
    child = subprocess.Popen([sys.executable, "-c", ASKER], stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True)
    os.close(theirs)
    os.write(ours, answer.encode())
    said = b""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            block = os.read(ours, 4096)
        except OSError:  # Linux's way to say that the other side is closed
            break
        if not block:
            break
        said += block
    os.close(ours)
    return child.wait(60), said.decode()


@pytest.mark.parametrize(
    ("terminal", "no_color", "coloured"), [(True, "", True), (True, "1", False), (False, "", False)]
)
def test_colour_only_on_a_terminal(
    terminal: bool, no_color: str, coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    monkeypatch.setenv("NO_COLOR", no_color)
    assert output.coloured() is coloured


def test_what_follows_from_an_interrupted_import_is_an_interruption() -> None:
    broken = NameError("name 'coroutines' is not defined")
    assert failure.code_of(broken) == 70
    broken.__context__ = ImportError("half a module")
    broken.__context__.__context__ = KeyboardInterrupt()
    assert failure.code_of(broken) == 130
