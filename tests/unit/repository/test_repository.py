"""Backups in a repository: whole or not there, whatever happens at any moment; and damage is always seen."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial

import msgspec
import pyrage
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.errors import (
    ConfigError,
    Damaged,
    DbopsError,
    InputError,
    Interrupted,
    Locked,
    StorageFailed,
)
from dbops.model.backup import Verdict
from dbops.model.repository import Manifest, record
from dbops.repository.repository import BackupWriter, HeldLease, Repository
from dbops.repository.sealed import seal
from dbops.spi import Readable
from dbops.testing.memory_storage import MemoryStorage

KEY = pyrage.x25519.Identity.generate()
START = datetime(2026, 7, 14, 2, 15, tzinfo=UTC)
STREAMS = {"dump-shop": b"shop" * 2000, 'dump-"; drop table x; --': b"x" * 700, "globals.sql": b""}


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now


def repository(storage: MemoryStorage, clock: Callable[[], datetime] | None = None, **options: object) -> Repository:
    return Repository(storage, volume_bytes=500, clock=clock or Clock(), **options)  # type: ignore[arg-type]  # passed on as given


def draft(backup_id: str, **changes: object) -> Manifest:
    plain = Manifest(
        id=backup_id,
        target="shop",
        incarnation="7300000000000000001",
        engine="postgresql",
        server_version="18.1",
        method="dump",
        kind="logical",
        started_at=START,
        finished_at=START,
        dbops="0.1",
    )
    return msgspec.structs.replace(plain, **changes)


def begin(repo: Repository, lease: HeldLease, backup_id: str) -> BackupWriter:
    return repo.begin("shop", "7300000000000000001", backup_id, lease)


def back_up(repo: Repository, **changes: object) -> Manifest:
    with repo.lease("backup-shop", purpose="the backup of shop") as lease:
        backup_id = repo.new_id()
        with begin(repo, lease, backup_id) as writer:
            for name, data in STREAMS.items():
                writer.write(name, io.BytesIO(data), level=1, threads=1)
            writer.document("RESTORE.md", b"# How to restore\n")
            return writer.publish(draft(backup_id, **changes))


def restored(repo: Repository, manifest: Manifest) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for artifact in manifest.artifacts:
        stream = repo.open(manifest, artifact.name)
        found[artifact.name] = b"".join(iter(partial(stream.read, 1000), b""))
        stream.close()
    return found


def test_a_backup_comes_back() -> None:
    repo = repository(MemoryStorage())
    manifest = back_up(repo)
    assert repo.manifests() == (manifest,)
    assert repo.manifest(manifest.id) == manifest
    assert restored(repo, manifest) == STREAMS
    assert repo.document(manifest, "RESTORE.md") == b"# How to restore\n"
    assert repo.check(manifest).verdict is Verdict.VERIFIED
    assert repo.check(manifest, "content").verdict is Verdict.VERIFIED


def test_what_a_backup_does_not_have_is_said() -> None:
    storage = MemoryStorage()
    repo = repository(storage)
    manifest = back_up(repo)
    with pytest.raises(InputError, match=f"the backup {manifest.id} has no stream 'dump-other'") as caught:
        repo.open(manifest, "dump-other")
    assert caught.value.hint == 'It has: dump-"; drop table x; --, dump-shop, globals.sql.'
    with pytest.raises(InputError, match=f"the backup {manifest.id} has no document 'README'"):
        repo.document(manifest, "README")


def test_a_damaged_document_is_not_handed_out() -> None:
    storage = MemoryStorage()
    repo = repository(storage)
    manifest = back_up(repo)
    assert repo.location(manifest) == f"memory:///shop/7300000000000000001/backups/{manifest.id}"
    storage.objects[f"{repo.location(manifest).removeprefix('memory:///')}/RESTORE.md"] = b"# rm -rf /\n"
    with pytest.raises(Damaged, match=f"RESTORE.md of {manifest.id} is damaged"):
        repo.document(manifest, "RESTORE.md")


def test_an_encrypted_one_needs_the_key_only_to_be_read() -> None:
    storage = MemoryStorage()
    manifest = back_up(repository(storage, recipients=[str(KEY.to_public())]))
    blind = repository(storage)
    assert blind.manifests() == (manifest,)
    assert blind.check(manifest).verdict is Verdict.VERIFIED
    assert blind.check(manifest, "content").verdict is Verdict.COULD_NOT_VERIFY
    with pytest.raises(ConfigError, match=f"dump-shop of {manifest.id} is encrypted and no private key was given"):
        blind.open(manifest, "dump-shop").read(1)
    seeing = repository(storage, identities=[str(KEY)])
    assert restored(seeing, manifest) == STREAMS
    assert not any(b"shopshop" in data for data in storage.objects.values())


def test_a_wrong_recipient_is_told_before_anything_is_written() -> None:
    storage = MemoryStorage()
    repo = repository(storage, recipients=["age1nonsense"])
    with repo.lease("x", purpose="a test") as lease, pytest.raises(ConfigError, match="'age1nonsense'"):
        begin(repo, lease, repo.new_id())
    assert not any("backups" in key for key in storage.objects)


def test_users_see_it_as_a_record() -> None:
    repo = repository(MemoryStorage())
    manifest = back_up(repo, databases=("shop",))
    seen = record(manifest, "main")
    assert (seen.id, seen.digest, seen.databases, seen.location) == (manifest.id, manifest.digest, ("shop",), "main")
    assert seen.bytes == sum(len(data) for data in STREAMS.values())
    assert {one.name: one.filters for one in seen.artifacts} == dict.fromkeys(STREAMS, ("zstd",))


def test_an_unpublished_one_leaves_nothing() -> None:
    storage = MemoryStorage()
    repo = repository(storage)
    with repo.lease("backup-shop", purpose="the backup of shop") as lease, begin(repo, lease, repo.new_id()) as writer:
        writer.write("dump-shop", io.BytesIO(b"x" * 5000), level=None)
        assert repo.manifests() == ()
    assert not any("backups" in key for key in storage.objects)


def test_a_failing_stream_can_be_tried_again() -> None:
    class Source:
        def __init__(self) -> None:
            self.left = 3

        def read(self, n: int, /) -> bytes:
            self.left -= 1
            if self.left < 0:
                raise RuntimeError("connection lost")
            return b"x" * 600

        def close(self) -> None: ...

    storage = MemoryStorage()
    repo = repository(storage)
    with repo.lease("x", purpose="a test") as lease, begin(repo, lease, repo.new_id()) as writer:
        with pytest.raises(RuntimeError, match="connection lost"):
            writer.write("dump-shop", Source(), level=None)
        assert [key.rpartition("/")[2] for key in storage.objects if "backups" in key] == ["begun"]
        writer.write("dump-shop", io.BytesIO(b"x"))
        assert [one.name for one in writer.artifacts] == ["dump-shop"]


def test_streams_are_written_side_by_side() -> None:
    repo = repository(MemoryStorage())
    with repo.lease("x", purpose="a test") as lease:
        backup_id = repo.new_id()
        with begin(repo, lease, backup_id) as writer:
            data = {f"dump-{number}": bytes([number]) * 3000 for number in range(6)}
            threads = [
                threading.Thread(target=writer.write, args=(name, io.BytesIO(content)))
                for name, content in data.items()
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            manifest = writer.publish(draft(backup_id))
    assert restored(repo, manifest) == data


def test_giving_up_stops_the_streams_of_other_threads() -> None:
    storage = MemoryStorage()
    repo = repository(storage)
    reading, closed = threading.Event(), threading.Event()
    raised: list[BaseException] = []

    class Endless:
        def read(self, n: int, /) -> bytes:
            reading.set()
            return b"x" * min(n, 300)

        def close(self) -> None:
            closed.set()

    def write(writer: BackupWriter) -> None:
        try:
            writer.write("dump-shop", Endless(), level=None)
        except Interrupted as error:
            raised.append(error)

    with repo.lease("x", purpose="a test") as lease:
        writer = begin(repo, lease, repo.new_id())
        thread = threading.Thread(target=write, args=(writer,))
        thread.start()
        assert reading.wait(60)
        writer.abort()
        thread.join(60)
        assert closed.is_set()
        assert len(raised) == 1
        with pytest.raises(InputError, match="is closed"):
            writer.document("RESTORE.md", b"")
    assert not any("backups" in key for key in storage.objects)


def test_names_are_used_once() -> None:
    repo = repository(MemoryStorage())
    with repo.lease("x", purpose="a test") as lease, begin(repo, lease, repo.new_id()) as writer:
        writer.write("a", io.BytesIO(b""))
        with pytest.raises(InputError, match="has a stream called 'a' already"):
            writer.document("a", b"")


def test_an_id_is_used_once() -> None:
    repo = repository(MemoryStorage())
    manifest = back_up(repo)
    with repo.lease("x", purpose="a test") as lease, pytest.raises(InputError, match=r"there is a backup b-.* already"):
        begin(repo, lease, manifest.id)


def test_the_manifest_of_another_backup_is_refused() -> None:
    repo = repository(MemoryStorage())
    with (
        repo.lease("x", purpose="a test") as lease,
        begin(repo, lease, repo.new_id()) as writer,
        pytest.raises(InputError, match="the manifest is of b-other"),
    ):
        writer.publish(draft("b-other"))


def test_a_stored_volume_that_vanished_stops_the_publication() -> None:
    storage = MemoryStorage()
    repo = repository(storage)
    with repo.lease("x", purpose="a test") as lease:
        backup_id = repo.new_id()
        with begin(repo, lease, backup_id) as writer:
            writer.write("a", io.BytesIO(b"x"))
            del storage.objects[next(key for key in storage.objects if key.endswith("/a/vol-0000"))]
            with pytest.raises(StorageFailed, match=r"was written with \d+ bytes and is now gone"):
                writer.publish(draft(backup_id))
    assert repo.manifests() == ()


def test_a_writer_that_lost_its_lease_publishes_nothing() -> None:
    storage, clock = MemoryStorage(), Clock()
    repo = repository(storage, clock)
    lease = repo.lease("backup-shop", purpose="the backup of shop")
    backup_id = repo.new_id()
    with begin(repo, lease, backup_id) as writer:
        writer.write("a", io.BytesIO(b"x"))
        stranger = msgspec.structs.replace(lease.lease, number=2, fence=2)
        storage.objects["leases/backup-shop/000000000002"] = seal(stranger, "dbops.lease/1")[0]
        clock.now += timedelta(minutes=5)
        with pytest.raises(Locked, match="the lease backup-shop was lost to another run"):
            writer.publish(draft(backup_id))
    assert repo.manifests() == ()


def test_a_full_store_publishes_nothing_and_the_next_run_works() -> None:
    storage = MemoryStorage(room=6000)
    repo = repository(storage)
    with repo.lease("backup-shop", purpose="the backup of shop") as lease, begin(repo, lease, repo.new_id()) as writer:
        with pytest.raises(StorageFailed, match="no space left in repository"):
            writer.write("big", io.BytesIO(bytes(range(256)) * 100), level=None)
        with pytest.raises(StorageFailed, match="no space left in repository"):
            writer.write("big", io.BytesIO(bytes(range(256)) * 100), level=None)
    assert repo.manifests() == ()
    storage.room = None
    back_up(repo)


def whole(repo: Repository, manifest: Manifest) -> bool:
    return repo.check(manifest, "content").verdict is Verdict.VERIFIED


def test_a_kill_at_any_moment_of_a_backup_leaves_it_whole_or_not_there() -> None:
    counting = MemoryStorage()
    back_up(repository(counting))
    published = 0
    for moment in range(counting.operations + 1):
        storage, clock = MemoryStorage(), Clock()
        storage.dies_after = moment
        with suppress(DbopsError):
            back_up(repository(storage, clock))
        storage.revive()
        clock.now += timedelta(days=1)
        storage.now = clock.now - timedelta(hours=2)
        later = repository(storage, clock)
        found = later.manifests()
        assert all(whole(later, manifest) for manifest in found)
        published += len(found)
        later.clean(clock.now)
        assert later.manifests() == found
        assert {one.id for one in found} == {key.split("/")[3] for key in storage.objects if "/backups/" in key}
        assert not [key for key, _ in storage.uploads.values() if "/backups/" in key]
        assert whole(later, back_up(later))
    assert 0 < published < counting.operations, "some moments are after the manifest, most before"


def test_a_kill_at_any_moment_of_a_deletion_leaves_it_whole_or_not_there() -> None:
    gone = 0
    for moment in range(20):
        storage, clock = MemoryStorage(), Clock()
        repo = repository(storage, clock)
        manifest, other = back_up(repo), back_up(repo)
        storage.operations, storage.dies_after = 0, moment
        with suppress(StorageFailed):
            repo.delete(manifest.id, by="test", reason="retention")
        storage.revive()
        later = repository(storage, clock)
        found = later.manifests()
        assert found in ((manifest, other), (other,))
        assert all(whole(later, one) for one in found)
        if manifest not in found:
            gone += 1
            assert [one.kind for one in later.events(backup_id=manifest.id)] == ["deletion"]
        later.clean(clock.now)
        assert {one.id for one in found} == {key.split("/")[3] for key in storage.objects if "/backups/" in key}
    assert 0 < gone < 20


@given(which=st.integers(0, 999), where=st.integers(0, 99_999), bit=st.integers(0, 7), encrypted=st.booleans())
def test_a_flipped_bit_in_any_object_of_a_backup_is_found(which: int, where: int, bit: int, encrypted: bool) -> None:
    storage = MemoryStorage()
    repo = repository(storage, recipients=[str(KEY.to_public())] if encrypted else [], identities=[str(KEY)])
    manifest = back_up(repo)
    keys = [key for key, data in storage.objects.items() if "/backups/" in key and data]
    key = keys[which % len(keys)]
    changed = bytearray(storage.objects[key])
    changed[where % len(changed)] ^= 1 << bit
    storage.objects[key] = bytes(changed)
    result = repo.check(manifest)
    assert result.verdict is Verdict.FAILED
    bad = [one for one in result.objects if one.verdict is Verdict.FAILED]
    assert len(bad) == 1
    assert "is damaged" in bad[0].detail
    if key.endswith("/manifest"):
        seen = repo.catalogue()
        assert seen.manifests == ()
        assert [one.id for one in seen.unreadable] == [manifest.id]
        assert "is damaged: its bytes are not those that its last line vouches for" in seen.unreadable[0].reason
        repo.clean(START + timedelta(days=99))
        assert key in storage.objects, "a damaged manifest is no reason to remove the backup"


@pytest.mark.parametrize("change", ["remove", "shorten", "lengthen"])
def test_a_volume_that_changed_its_length_is_found(change: str) -> None:
    storage = MemoryStorage()
    repo = repository(storage)
    manifest = back_up(repo)
    key = next(key for key in storage.objects if key.endswith("/dump-shop/vol-0000"))
    data = storage.objects.pop(key)
    if change != "remove":
        storage.objects[key] = data[:-1] if change == "shorten" else data + b"x"
    result = repo.check(manifest)
    assert result.verdict is Verdict.FAILED
    assert [one.name for one in result.objects if one.verdict is Verdict.FAILED] == ["dump-shop"]


def test_an_object_that_nobody_described_is_found() -> None:
    storage = MemoryStorage()
    repo = repository(storage)
    manifest = back_up(repo)
    folder = next(key for key in storage.objects if key.endswith("/dump-shop/vol-0000")).rpartition("/")[0]
    storage.objects[f"{folder}/vol-9999"] = b"cat vol-* would take this too"
    result = repo.check(manifest)
    assert [one.detail for one in result.objects if one.verdict is Verdict.FAILED] == [
        f"{folder}/vol-9999 is not in the manifest"
    ]


def test_a_store_that_cannot_be_read_is_no_pass_and_no_failure() -> None:
    class Ill(MemoryStorage):
        def open(self, key: str, offset: int = 0, length: int | None = None) -> Readable:
            if "/vol-" in key:
                raise StorageFailed("Input/output error")
            return super().open(key, offset, length)

    storage = Ill()
    repo = repository(storage)
    manifest = back_up(repo)
    result = repo.check(manifest)
    assert result.verdict is Verdict.COULD_NOT_VERIFY
    assert {one.detail for one in result.objects if one.verdict is Verdict.COULD_NOT_VERIFY} == {"Input/output error"}


def test_the_progress_of_a_check_ends_with_everything() -> None:
    repo = repository(MemoryStorage())
    manifest = back_up(repo)
    seen: list[tuple[int, int]] = []
    repo.check(manifest, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (manifest.stored_bytes, manifest.stored_bytes)


def test_damage_met_while_restoring_says_what_to_do() -> None:
    storage = MemoryStorage()
    repo = repository(storage)
    manifest = back_up(repo)
    key = next(key for key in storage.objects if key.endswith("/dump-shop/vol-0000"))
    storage.objects[key] = storage.objects[key][:-1] + b"\0"
    with pytest.raises(Damaged) as caught:
        restored(repo, manifest)
    assert caught.value.message.startswith(f"dump-shop of {manifest.id}: ")
    assert f"`dbops backup verify {manifest.id} --level checksum`" in caught.value.hint


def test_a_manifest_that_was_moved_is_not_believed() -> None:
    storage = MemoryStorage()
    repo = repository(storage)
    one, other = back_up(repo), back_up(repo)
    key = next(key for key in storage.objects if one.id in key and key.endswith("/manifest"))
    twin = next(key for key in storage.objects if other.id in key and key.endswith("/manifest"))
    storage.objects[key] = storage.objects[twin]
    with pytest.raises(Damaged, match=f"describes another backup, {other.id} of shop"):
        repo.manifest(one.id)


def test_a_newer_repository_is_refused_by_every_door() -> None:
    storage = MemoryStorage()
    storage.objects["format"] = b'{"schema": "dbops.repository/2", "version": 2}'
    repo = repository(storage)
    doors: list[Callable[[], object]] = [
        repo.catalogue,
        repo.probe,
        repo.events,
        lambda: repo.clean(START),
        lambda: repo.lease("x", purpose="a test"),
        lambda: repo.manifest("b-20260714t021500123-00000001"),
        lambda: repo.delete("b-20260714t021500123-00000001", by="", reason=""),
    ]
    for door in doors:
        with pytest.raises(InputError) as caught:
            door()
        assert caught.value.message == (
            "memory:///format says version 2; this version of dbops knows repositories up to version 1"
        )
        assert "Nothing was changed" in caught.value.hint
        assert caught.value.code == 65
    assert list(storage.objects) == ["format"]


def test_somebody_elses_directory_is_left_alone() -> None:
    storage = MemoryStorage()
    storage.objects["base/1/PG_VERSION"] = b"18\n"
    repo = repository(storage)
    with pytest.raises(ConfigError, match=r"is not a repository of dbops.*and there is base/1/PG_VERSION"):
        repo.lease("x", purpose="a test")
    with pytest.raises(ConfigError, match="is not a repository of dbops"):
        repo.catalogue()
    assert list(storage.objects) == ["base/1/PG_VERSION"]


def test_an_unused_place_is_an_empty_repository_and_stays_unused() -> None:
    storage = MemoryStorage()
    repo = repository(storage)
    assert repo.manifests() == ()
    assert repo.events() == ()
    assert repo.clean(START).removed == ()
    assert storage.objects == {}


def test_a_probe_writes_and_leaves_nothing() -> None:
    storage = MemoryStorage(room=10_000)
    probe = repository(storage).probe()
    assert (probe.version, probe.create_if_absent, probe.free_bytes) == (None, True, 10_000)
    assert storage.objects == {}
    back_up(repository(storage))
    assert repository(storage).probe().version == 1


def test_a_store_that_overwrites_is_known_as_such() -> None:
    class Careless(MemoryStorage):
        def create(self, key: str, data: bytes) -> None:
            self.objects.pop(key, None)
            super().create(key, data)

    assert repository(Careless()).probe().create_if_absent is False


def test_a_missing_backup_is_said_with_where_to_look() -> None:
    with pytest.raises(InputError, match="there is no backup b-20260714t021500123-00000001 in memory://"):
        repository(MemoryStorage()).manifest("b-20260714t021500123-00000001")


def test_a_pinned_backup_stays() -> None:
    repo = repository(MemoryStorage())
    manifest = back_up(repo)
    repo.pin(manifest.id, by="ana", reason="before the migration")
    assert repo.pinned() == {manifest.id}
    with pytest.raises(Locked, match="is pinned") as caught:
        repo.delete(manifest.id, by="prune", reason="retention")
    assert f"dbops backup unpin {manifest.id}" in caught.value.hint
    repo.unpin(manifest.id, by="ana")
    assert repo.pinned() == frozenset()
    repo.delete(manifest.id, by="prune", reason="retention")
    assert repo.manifests() == ()
    assert [(one.kind, one.by, one.reason) for one in repo.events("shop", manifest.id)] == [
        ("pin", "ana", "before the migration"),
        ("unpin", "ana", ""),
        ("deletion", "prune", "retention"),
    ]


def test_a_backup_that_another_builds_on_stays() -> None:
    repo = repository(MemoryStorage())
    full = back_up(repo)
    increment = back_up(repo, parent=full.id)
    with pytest.raises(Locked, match=f"{full.id} is needed to restore {increment.id}"):
        repo.delete(full.id, by="", reason="")
    repo.delete(increment.id, by="", reason="")
    repo.delete(full.id, by="", reason="")


def test_a_proof_is_kept_with_its_evidence() -> None:
    repo = repository(MemoryStorage())
    manifest = back_up(repo)
    event = repo.new_event(manifest, "proof", by="job:weekly")
    event = msgspec.structs.replace(
        event, verdict=Verdict.VERIFIED, evidence={"phases": [{"name": "restore", "seconds": 2.5}]}
    )
    repo.add_event(manifest, event)
    assert repo.events(kind="proof") == (event,)
    assert repo.events(target="other") == ()


def test_an_altered_event_is_not_passed_over() -> None:
    storage = MemoryStorage()
    repo = repository(storage)
    repo.pin(back_up(repo).id, by="ana", reason="")
    key = next(key for key in storage.objects if "/events/" in key)
    storage.objects[key] = storage.objects[key].replace(b'"pin"', b'"note"')
    with pytest.raises(Damaged, match=f"the event memory:///{key} is damaged") as caught:
        repo.pinned()
    assert "or move it away: then the pin, proof or deletion that it recorded is lost" in caught.value.hint


def test_what_died_while_writing_something_small_is_swept_later() -> None:
    storage = MemoryStorage()
    repo = repository(storage)
    repo.pin(back_up(repo).id, by="ana", reason="")
    event = next(key for key in storage.objects if "/events/" in key)
    for key in ("leases/backup-shop/000000000099", "canary/1", f"{event}2"):
        storage.upload(key).write(b"half")
    storage.objects["canary/2"] = b"x"
    repo.clean(storage.now + timedelta(minutes=59))
    assert len(storage.uploads) == 3
    repo.clean(storage.now + timedelta(minutes=61))
    assert not storage.uploads
    assert "canary/2" not in storage.objects
    assert event in storage.objects


def test_a_backup_in_progress_is_left_alone_and_named() -> None:
    repo = repository(MemoryStorage())
    with repo.lease("backup-shop", purpose="the backup of shop") as lease:
        backup_id = repo.new_id()
        with begin(repo, lease, backup_id) as writer:
            writer.write("a", io.BytesIO(b"x"))
            cleaned = repo.clean(START + timedelta(days=9))
            assert cleaned.removed == ()
            assert [one.id for one in cleaned.in_progress] == [backup_id]
            writer.publish(draft(backup_id))
    assert len(repo.manifests()) == 1


def test_targets_with_hostile_names_do_not_meet() -> None:
    repo = repository(MemoryStorage())
    names = ["leases", "format", "..", "a/b", "a%2Fb", "ü", '"; drop table x; --']
    for name in names:
        with repo.lease(f"backup-{name}", purpose="a test") as lease:
            backup_id = repo.new_id()
            with repo.begin(name, "1", backup_id, lease) as writer:
                writer.publish(draft(backup_id, target=name, incarnation="1"))
    assert sorted(one.target for one in repo.manifests()) == sorted(names)
    for name in names:
        assert [one.target for one in repo.manifests(name)] == [name]
