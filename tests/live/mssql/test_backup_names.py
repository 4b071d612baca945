"""Backups where names differ by case alone, or are compared byte by byte, and what belongs to the instance itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from dbops.errors import UsageError
from dbops.model.backup import Fingerprints, Verdict
from dbops.operations import backup, verify
from dbops.testing.mssql import Simulate
from tests.live.mssql.backup_shop import Shop
from tests.simulators.mssql import media


@pytest.fixture(params=["Latin1_General_100_CS_AS", "Latin1_General_100_BIN2"])
def exact(
    request: pytest.FixtureRequest,
    mssql_driver: None,
    mssql_simulator: Simulate,
    tmp_path_factory: pytest.TempPathFactory,
    tmp_path: Path,
) -> Iterator[Shop]:
    """Two instances that tell SHOP and shop apart."""
    with ExitStack() as stack:
        servers = [
            stack.enter_context(mssql_simulator(tmp_path_factory.mktemp(name), name=name, collation=request.param))
            for name in ("PRIMARY", "PROOF")
        ]
        media.share(servers[0].instance, servers[1].instance)
        yield Shop(servers[0], servers[1], tmp_path)


def test_two_databases_that_differ_by_case_are_two(exact: Shop) -> None:
    exact.server.create_database("SHOP")
    exact.server.sql("CREATE TABLE dbo.Orders (ID int NOT NULL)", database="SHOP")
    exact.server.sql("INSERT INTO dbo.Orders VALUES (7)", database="SHOP")
    made = backup.run(exact.ws, "shop", databases=["SHOP", "shop"])
    assert len({one for one in exact.disk().written if made.backup.id in one}) == 2
    found = verify.verify(exact.ws, made.backup.id)
    assert (found.verdict, found.fingerprints) == (Verdict.VERIFIED, Fingerprints(compared=2, equal=2)), found.reasons
    with pytest.raises(UsageError, match="there is no database 'Shop' on this server"):
        backup.run(exact.ws, "shop", databases=["Shop"])


def test_what_belongs_to_the_instance_is_in_the_plan(shop: Shop) -> None:
    """master, model and msdb with the rest, the logins beside them, and the keys that no backup of a database holds."""
    key = {"name": "TDE", "thumbprint": b"\x01", "pvt_key_encryption_type": "MK", "pvt_key_last_backup_date": None}
    shop.server.instance.set_rows("sys.certificates", [key])
    try:
        plan = backup.plan(shop.ws, "shop")
        made = backup.run(shop.ws, "shop")
    finally:
        shop.server.instance.state.rows.clear()
    said = " ".join([*plan.reasons, *(reason for one in plan.methods for reason in one.reasons)])
    assert "The private key of the certificate TDE was never backed up" in said
    assert made.backup.databases == ("master", "model", "msdb", "shop")
    assert [one.name for one in made.backup.artifacts] == ["logins.sql"]
    recipe = next((shop.directory / "repository").rglob("RESTORE.md")).read_text(encoding="utf-8")
    for words in ("BACKUP CERTIFICATE [TDE]", "single-user mode", "## master", "logins.sql"):
        assert words in recipe
