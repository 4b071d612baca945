"""Whose files lie here, and a directory as a tar stream: on disk, without a server."""

from __future__ import annotations

import io
import os
import socket
import struct
import subprocess
import tarfile
from pathlib import Path

import pytest

from dbops.errors import Damaged, StorageFailed
from dbops.model.server import Endpoint
from dbops_mysql.backup import files, unpacked
from dbops_mysql.backup.pages import check_pages, data_ranges
from dbops_mysql.backup.tar import BLOCK, blocks

NOBODY = Endpoint(engine="mysql")
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def variables(datadir: Path, **more: str) -> dict[str, str]:
    return {"datadir": f"{datadir}/", "hostname": socket.gethostname(), "pid_file": "x.pid", **more}


# Whose files


def test_a_server_on_another_machine_is_named(tmp_path: Path) -> None:
    said = files.unreadable(variables(tmp_path, hostname="db1.example"))
    assert said == f"the server runs on db1.example and dbops on {socket.gethostname()}: run dbops there"
    assert "is not on this machine" in files.unreadable(variables(tmp_path / "nowhere"))
    assert "does not say where" in files.unreadable({})


def test_mysql_s_files_are_known_by_their_uuid(tmp_path: Path) -> None:
    (tmp_path / "auto.cnf").write_text("[auto]\nserver-uuid=aaaa-bbbb\n")
    assert files.unreadable(variables(tmp_path, server_uuid="aaaa-bbbb")) == ""
    assert "are another server's" in files.unreadable(variables(tmp_path, server_uuid="cccc-dddd"))
    (tmp_path / "auto.cnf").unlink()
    assert "are another server's" in files.unreadable(variables(tmp_path, server_uuid="aaaa-bbbb"))


def test_mariadb_s_files_are_known_by_who_works_in_them(tmp_path: Path) -> None:
    assert "cannot be read" in files.unreadable(variables(tmp_path))
    with subprocess.Popen(["sleep", "60"], cwd=tmp_path) as own, subprocess.Popen(["sleep", "60"], cwd="/") as other:
        for child, said in ((own, ""), (other, f"the files in {tmp_path} are another server's")):
            (tmp_path / "x.pid").write_text(f"{child.pid}\n")
            assert files.unreadable(variables(tmp_path)).startswith(said)
            assert bool(files.unreadable(variables(tmp_path))) == bool(said)
        own.kill()
        other.kill()
        other.wait()
    assert "are another server's" in files.unreadable(variables(tmp_path))


@AS_ROOT
def test_files_that_are_closed_to_us_are_told_with_who_may(tmp_path: Path) -> None:
    tmp_path.chmod(0o711)
    place = tmp_path / "data"
    place.mkdir(mode=0o700)
    (place / "auto.cnf").write_text("uuid")
    for above in tmp_path.parents[:2]:
        above.chmod(0o711)
    os.seteuid(65534)
    try:
        said = files.unreadable(variables(place, server_uuid="uuid"))
    finally:
        os.seteuid(0)
    assert said == f"{place} cannot be read: Permission denied; run dbops as root"


def test_logs_and_what_is_thrown_away_count_not(tmp_path: Path) -> None:
    for name, size in (
        ("ibdata1", 100),
        ("binlog.000001", 1000),
        ("ibtmp1", 1000),
        ("shop/t.ibd", 7),
        ("ib_logfile0", 50),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(bytes(size))
    assert files._size(tmp_path, {"log_bin_basename": f"{tmp_path}/binlog"}) == 107


# A tar stream


def streamed(root: Path) -> tuple[bytes, tuple[int, int]]:
    counted: list[tuple[int, int]] = []
    stream = b"".join(blocks(root, lambda files, size: counted.append((files, size))))
    return stream, counted[0]


def test_a_directory_comes_back_as_it_was(tmp_path: Path) -> None:
    root = tmp_path / "root"
    names = ("#innodb_redo/#ib_redo0", "a" * 140 + "/" + "é ☃'" * 20, "empty", "shop/t.ibd")
    for number, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(os.urandom(number * 1000 + 3) if name != "empty" else b"")
    (root / "large").write_bytes(b"x" * (BLOCK + 5))
    (root / "nothing in it").mkdir(mode=0o750)
    stream, (count, size) = streamed(root)
    assert count == 5
    assert size == sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
    with tarfile.open(fileobj=io.BytesIO(stream)) as archive:
        found = {one.name: archive.extractfile(one) for one in archive}
        assert {name for name, file in found.items() if file is None} >= {"nothing in it", "shop"}
        for name, file in found.items():
            if file is not None:
                assert file.read() == (root / name).read_bytes()
    done = subprocess.run(["tar", "-t", "-f", "-"], input=stream, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_what_is_no_file_or_changes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    with pytest.raises(StorageFailed, match="link is neither a file nor a directory"):
        streamed(tmp_path)
    (tmp_path / "link").unlink()
    (tmp_path / "a").write_bytes(bytes(3 * BLOCK))
    reading = blocks(tmp_path, lambda files, size: None)
    next(reading)
    next(reading)
    os.truncate(tmp_path / "a", BLOCK)
    with pytest.raises(StorageFailed, match="became shorter while it was read"):
        list(reading)
    with pytest.raises(StorageFailed, match="No such file"):
        streamed(tmp_path / "nowhere")


# What was unpacked


def test_a_missing_file_and_a_short_one_are_told_by_number(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "t.ibd").write_bytes(bytes(10))
    where = {"data": str(tmp_path), "files": 1, "file_bytes": 10}
    assert "all 1 files are there" in str(unpacked.count(where, NOBODY, None)["checks"])  # type: ignore[arg-type]
    for files_, size in ((2, 10), (1, 11)):
        with pytest.raises(Damaged, match=f"it had {files_} files of {size} bytes, and 1 of 10 came back"):
            unpacked.count({**where, "files": files_, "file_bytes": size}, NOBODY, None)  # type: ignore[arg-type]


def system_tablespace(place: Path, page: int, extents: tuple[int, int] | None, pages: int) -> Path:
    content = bytearray(page * pages)
    if extents is not None:
        struct.pack_into(">III", content, 6 * page - 190, 536853855, *extents)
    (place / "ibdata1").write_bytes(content)
    return place / "ibdata1"


def test_the_doublewrite_buffer_is_no_data(tmp_path: Path) -> None:
    for page, extents, pages, expected in (
        (16384, (64, 128), 768, ((0, 63), (192, None))),
        (8192, (128, 256), 1000, ((0, 127), (384, None))),
        (16384, (128, 64), 192, ((0, 63),)),
        (16384, (64, 256), 768, ((0, 63), (128, 255), (320, None))),
        (16384, None, 768, ((0, None),)),
    ):
        assert data_ranges(system_tablespace(tmp_path, page, extents, pages), page, system=True) == expected
    (tmp_path / "t.ibd").write_bytes(bytes(16384))
    assert data_ranges(tmp_path / "t.ibd", 16384, system=False) == ((0, None),)


def test_pages_are_not_looked_at_without_the_program(tmp_path: Path) -> None:
    where = {"tool": str(tmp_path / "innochecksum"), "data": str(tmp_path), "page_size": "16384"}
    said = str(check_pages(where, NOBODY, None)["checks"])  # type: ignore[arg-type]
    assert "innochecksum is not installed" in said
    assert "could_not_verify" in said
