"""A copy that is brought back for good gets the settings that it lacks, and none that leads to the original."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import msgspec

from dbops.model.server import Endpoint
from dbops.spi import Runtime
from dbops_postgresql.backup.configuration import Configuration, Setting
from dbops_postgresql.backup.copied import finish


def test_the_way_into_the_original_s_archive_is_left_out(tmp_path: Path) -> None:
    source = "configuration file"
    settings = (
        Setting("archive_command", "cp %p /archive/%f", "", source),
        Setting("archive_mode", "on", "", source),
        Setting("work_mem", "4096", "kB", source),
    )
    recorded = tmp_path / "configuration.json"
    recorded.write_bytes(msgspec.json.encode(Configuration(settings=settings, files={}, hba=(), ident=())))
    (tmp_path / "standby.signal").touch()
    said = finish({"data": str(tmp_path), "file": str(recorded)}, Endpoint(engine="postgresql"), cast(Runtime, None))
    assert "written anew" in str(said["note"])
    written = (tmp_path / "postgresql.conf").read_text("utf-8")
    assert "archive_" not in written
    assert "work_mem = '4096'" in written
    assert (tmp_path / "postgresql.conf").stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "standby.signal").exists()
