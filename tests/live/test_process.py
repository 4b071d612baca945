"""Programs are run, watched and ended: real processes, no server."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from dbops import process
from dbops.errors import ToolFailed

AS_ROOT = pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can become somebody else")


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def test_output_input_and_exit_code() -> None:
    done = process.run(["sh", "-c", "cat; echo bad >&2; exit 3"], stdin=b"hello")
    assert (done.stdout, done.stderr, done.returncode) == ("hello", "bad\n", 3)


def test_failure_names_program_code_and_last_words() -> None:
    with pytest.raises(ToolFailed, match=r"^sh exited with 3: no such database$"):
        process.run(["sh", "-c", "echo no such database >&2; exit 3"]).check()
    process.run(["sh", "-c", "exit 3"]).check(ok=(0, 3))


def test_failure_by_a_signal_is_named() -> None:
    with pytest.raises(ToolFailed, match=r"^sh was killed by SIGKILL: it said nothing$"):
        process.run(["sh", "-c", "kill -9 $$"]).check()


def test_missing_program_is_named_with_the_command() -> None:
    with pytest.raises(ToolFailed, match=r"^pg_nosuch cannot be started: .*No such file") as failed:
        process.run(["pg_nosuch", "--version"])
    assert failed.value.hint == "The command was: pg_nosuch --version"


def test_timeout_ends_the_program_and_what_it_started(tmp_path: Path) -> None:
    script = f"sleep 600 & echo $! > {tmp_path / 'grandchild'}; echo waiting >&2; wait"
    with pytest.raises(ToolFailed, match=r"^sh did not end within 1.5 s and was killed: waiting$"):
        process.run(["sh", "-c", script], timeout=1.5)
    assert gone(int((tmp_path / "grandchild").read_text()))


def test_every_line_of_standard_error_is_heard_however_much_it_is() -> None:
    heard: list[str] = []
    script = "import sys; [print(n, 'x' * 200, file=sys.stderr) for n in range(2000)]; sys.stderr.write('the last')"
    with process.popen(python(script), heard=heard.append) as child:
        assert child.wait(30) == 0
        assert len(child.stderr_tail()) == process.TAIL_BYTES
    assert [line.split()[0] for line in heard] == [*map(str, range(2000)), "the"]


def test_environment_is_ours_with_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", "1")
    monkeypatch.setenv("REMOVED", "1")
    done = process.run(["env"], env={"PGPASSWORD": "s3cret", "REMOVED": None})
    assert {"OURS=1", "PGPASSWORD=s3cret"} <= set(done.stdout.splitlines())
    assert "REMOVED" not in done.stdout
    assert "s3cret" not in " ".join(done.argv)


def test_memory_for_standard_error_is_bounded() -> None:
    with process.popen(["sh", "-c", "yes | head -c 3000000 >&2; echo the end >&2"]) as child:
        assert child.wait(30) == 0
        assert len(child.stderr_tail()) == process.TAIL_BYTES
        assert child.stderr_tail().endswith("the end\n")


def test_streams_while_it_runs() -> None:
    with process.popen(["cat"], stdin=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(b"abc")
        child.stdin.close()
        assert child.stdout.read() == b"abc"
        assert child.wait(60) == 0


def test_waiting_has_an_end() -> None:
    with process.popen(["sleep", "600"]) as child, pytest.raises(TimeoutError, match=r"^sleep still runs after 0.1 s$"):
        child.wait(0.1)
    assert gone(child.pid)
    assert child.wait() == -signal.SIGKILL


def test_children_end_with_the_interpreter() -> None:
    program = "from dbops import process\nprint(process.popen(['sleep', '600']).pid)"
    assert gone(int(process.run(python(program)).check().stdout))


def test_terminal_signals_do_not_reach_children() -> None:
    """Ctrl-C goes to the foreground group: a child in it would die before dbops could end things in order."""
    with process.popen(["sleep", "600"]) as child:
        assert os.getpgid(child.pid) == child.pid != os.getpgid(0)


def test_log_is_appended_to(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("before\n")
    with process.popen(["sh", "-c", "echo out; echo err >&2"], log=log) as child:
        child.wait(60)
    assert sorted(log.read_text().splitlines()) == ["before", "err", "out"]


@AS_ROOT
def test_another_user_is_not_given_our_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "hunter2")
    monkeypatch.setenv("TZ", "UTC")
    said = process.run(["env"], user="nobody", env={"MINE": "given"}).check().stdout
    assert "hunter2" not in said
    assert {"MINE=given", "TZ=UTC", f"PATH={os.environ['PATH']}"} <= set(said.splitlines())
    assert "hunter2" not in process.run(["env"], user="nobody").check().stdout


@AS_ROOT
def test_another_user_has_none_of_our_groups() -> None:
    done = process.run(["sh", "-c", "id -un; id -Gn; pwd"], user="nobody").check()
    assert done.stdout.split() == ["nobody", "nogroup", "/"]


@AS_ROOT
def test_unknown_user_is_named() -> None:
    with pytest.raises(ToolFailed, match="there is no user 'no-such-user' on this machine"):
        process.run(["id"], user="no-such-user")


def gone(pid: int) -> bool:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False
