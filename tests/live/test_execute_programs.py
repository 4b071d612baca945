"""Steps that run real programs: fed, killed, stopped, and never told that half a stream is a whole one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dbops.errors import DbopsError, Interrupted, StorageFailed, ToolFailed
from dbops.execute import Context, Outcome, StepStatus, execute
from dbops.host import LocalHost
from dbops.plan import (
    Argument,
    Command,
    FromRepository,
    Plan,
    Risk,
    SecretRef,
    Step,
    ToCommand,
    Together,
    ToRepository,
    Transfer,
    Value,
)
from dbops.secrets import Secrets
from dbops.spi import Readable
from dbops.state import FileJournal
from dbops_postgresql import backend


class Stream:
    """So many blocks of a megabyte, and then the end or an error."""

    def __init__(self, blocks: int, then: Exception | None = None) -> None:
        self.left, self.then = blocks, then

    def read(self, n: int, /) -> bytes:
        if self.left:
            self.left -= 1
            return b"x" * (1 << 20)
        if self.then is not None:
            raise self.then
        return b""

    def close(self) -> None:
        pass


class Shelf:
    """Hands out one stream."""

    def __init__(self) -> None:
        self.stream: Readable = Stream(1)

    def read(self, source: FromRepository) -> Readable:
        return self.stream

    def write(self, sink: ToRepository, name: str, stream: Readable) -> dict[str, Value]:
        raise NotImplementedError


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def context(shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    monkeypatch.setenv("SHOP", "hunter2")
    return Context(
        backend=backend,
        endpoints={},
        resolve=Secrets().resolve,
        host=LocalHost(),
        journal=FileJournal(tmp_path / "journal.jsonl", "shop", "r1", lambda: datetime.now(UTC)),
        repositories=shelf,
        scratch=tmp_path,
    )


def run(context: Context, *steps: Step) -> Outcome:
    plan = Plan(noun="restore.run", target="shop", engine="postgresql", created_at=datetime.now(UTC), steps=steps)
    return execute(plan, context)


def command(step_id: str, script: str, **more: object) -> Command:
    parts: dict[str, object] = {"argv": ("sh", "-c", script), **more}
    return Command(id=step_id, summary=step_id, risk=Risk.READ, **parts)  # type: ignore[arg-type]  # they vary by test


def feed(*argv: Argument, env: dict[str, Value] | None = None) -> Transfer:
    return Transfer(
        id="feed",
        summary="feed",
        risk=Risk.WRITE,
        source=FromRepository(repository="main", backup="b-1", artifact="dump", sha256=""),
        sink=ToCommand(argv=argv, env=env or {}),
    )


def script(text: str) -> tuple[Argument, ...]:
    return ("sh", "-c", text)


# A program by itself


def test_a_program_and_its_secret(context: Context, tmp_path: Path) -> None:
    outcome = run(context, command("c", 'echo "${#PGPASSWORD} letters"', env={"PGPASSWORD": SecretRef("env:SHOP")}))
    assert outcome.outputs["c"] == {"returncode": 0, "stdout": "7 letters\n"}
    assert "hunter2" not in (tmp_path / "journal.jsonl").read_text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("echo it is broken >&2; exit 3", "sh exited with 3: it is broken"),
        ("kill -9 $$", "sh was killed by SIGKILL: it said nothing"),
    ],
)
def test_a_program_that_fails_speaks_for_itself(context: Context, text: str, message: str) -> None:
    outcome = run(context, command("c", text))
    assert isinstance(outcome.error, ToolFailed)
    assert outcome.error.message == message


def test_a_program_that_is_missing_is_named(context: Context) -> None:
    outcome = run(context, Command(id="c", summary="c", risk=Risk.READ, argv=("/nowhere/pg_restore",)))
    assert isinstance(outcome.error, ToolFailed)
    assert "/nowhere/pg_restore cannot be started" in outcome.error.message


def test_a_deadline_kills_it(context: Context) -> None:
    began = time.monotonic()
    outcome = run(context, command("c", "echo so far >&2; sleep 600 & sleep 600", deadline_s=1))
    assert time.monotonic() - began < 300
    assert isinstance(outcome.error, ToolFailed)
    assert outcome.error.message == "sh did not end within 1 s and was killed: so far"


def test_a_neighbour_that_fails_ends_it(context: Context, tmp_path: Path) -> None:
    child = tmp_path / "child"
    steps = (
        command("long", f"sleep 600 & echo $! > {child}.new; mv {child}.new {child}; wait"),
        command("bad", f"until test -e {child}; do sleep 0.1; done; exit 5"),
    )
    outcome = run(context, Together(id="t", summary="t", risk=Risk.READ, steps=steps))
    assert outcome.error is not None
    assert outcome.error.message == "sh exited with 5: it said nothing"
    assert "stopped" in outcome.step("long").error
    assert ended(int(child.read_text()))


def ended(pid: int) -> bool:
    """A program that another one started; whose child it became reads its exit code a moment later."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_a_run_that_is_stopped_from_another_thread_ends_it(context: Context) -> None:
    began = time.monotonic()
    threading.Timer(0.5, context.stop.set).start()
    outcome = run(context, command("long", "sleep 600"), command("next", "true"))
    assert time.monotonic() - began < 300
    assert isinstance(outcome.error, Interrupted)
    assert outcome.step("next").status is StepStatus.NOT_RUN


def test_much_output_stops_nobody(context: Context) -> None:
    outcome = run(context, command("c", "head -c 3000000 /dev/zero | tr '\\0' x; head -c 3000000 /dev/zero >&2"))
    assert outcome.done


# A program that is fed


def test_all_of_the_stream_arrives(context: Context, shelf: Shelf, tmp_path: Path) -> None:
    shelf.stream = Stream(5)
    outcome = run(
        context, feed(*script(f'wc -c > {tmp_path}/n; test "$P" = hunter2'), env={"P": SecretRef("env:SHOP")})
    )
    assert outcome.done
    assert (tmp_path / "n").read_text().strip() == str(5 << 20)
    assert outcome.outputs["feed"] == {"bytes": 5 << 20}


def test_one_that_prints_a_lot_while_it_is_fed(context: Context, shelf: Shelf) -> None:
    shelf.stream = Stream(5)
    assert run(context, feed("tee", "/dev/stderr")).done


@pytest.mark.parametrize("text", ["cat > /dev/null; echo no >&2; exit 4", "echo no >&2; exit 4"])
def test_one_that_fails_early_or_late_speaks_for_itself(context: Context, shelf: Shelf, text: str) -> None:
    shelf.stream = Stream(5)
    outcome = run(context, feed(*script(text)))
    assert isinstance(outcome.error, ToolFailed)
    assert outcome.error.message == "sh exited with 4: no"


def test_one_that_is_killed_is_named_with_the_signal(context: Context, shelf: Shelf) -> None:
    shelf.stream = Stream(5)
    outcome = run(context, feed(*script("head -c 100000 > /dev/null; kill -9 $$")))
    assert outcome.error is not None
    assert outcome.error.message.startswith("sh was killed by SIGKILL")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("cat >/dev/null; echo could not extend file: No space left on device >&2; exit 1", "no_space"),
        ("kill -9 $$", "interrupted"),
        ("kill -SEGV $$", ""),
        ("cat >/dev/null; echo the archive is damaged >&2; exit 1", ""),
    ],
)
def test_a_full_disk_or_a_kill_is_not_held_against_the_stream(
    context: Context, shelf: Shelf, text: str, reason: str
) -> None:
    shelf.stream = Stream(1)
    outcome = run(context, feed(*script(text)))
    assert isinstance(outcome.error, ToolFailed)
    assert outcome.error.reason == reason


def test_one_that_is_content_with_less_does_not_spare_the_check_of_the_rest(context: Context, shelf: Shelf) -> None:
    shelf.stream = Stream(5)
    assert run(context, feed(*script("head -c 10 > /dev/null"))).outputs["feed"] == {"bytes": 5 << 20}
    shelf.stream = Stream(5, StorageFailed("the digest differs"))
    outcome = run(context, feed(*script("head -c 10 > /dev/null")))
    assert outcome.error is not None
    assert outcome.error.message == "the digest differs"


@pytest.mark.parametrize("blocks", [0, 3])
def test_a_failing_source_never_looks_like_the_end(context: Context, shelf: Shelf, tmp_path: Path, blocks: int) -> None:
    shelf.stream = Stream(blocks, StorageFailed("the digest differs"))
    finished = tmp_path / "finished"
    outcome = run(context, feed(*script(f"cat > /dev/null; touch {finished}")))
    assert isinstance(outcome.error, StorageFailed)
    time.sleep(0.3)
    assert not finished.exists()


def test_one_that_works_on_after_its_input_ended_can_be_stopped(context: Context) -> None:
    began = time.monotonic()
    threading.Timer(0.5, context.stop.set).start()
    outcome = run(context, feed(*script("cat > /dev/null; sleep 600")))
    assert time.monotonic() - began < 300
    assert isinstance(outcome.error, Interrupted)


def test_a_secret_in_the_environment_of_a_program_that_fails(context: Context, tmp_path: Path) -> None:
    step = feed(*script("cat > /dev/null; exit 1"), env={"PGPASSWORD": SecretRef("env:SHOP")})
    outcome = run(context, step)
    said = f"{outcome.error} {outcome.error!r} {outcome.steps!r} {(tmp_path / 'journal.jsonl').read_text()}"
    assert isinstance(outcome.error, DbopsError)
    assert "hunter2" not in said


@pytest.fixture(autouse=True)
def _no_thread_stays(request: pytest.FixtureRequest) -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and _left(before):
        time.sleep(0.05)
    assert not _left(before)


def _left(before: set[threading.Thread]) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread not in before]
