"""The repository as execution sees it: streams for transfers, operations for calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dbops.errors import InputError, UsageError
from dbops.execute.context import Provider
from dbops.plan import FromRepository, ToRepository, Value
from dbops.repository.repository import BackupWriter, Repository
from dbops.spi import Readable

__all__ = ["RepositoryBytes", "repository_calls"]

ByName = Callable[[str], Repository]


class RepositoryBytes:
    """Implements :class:`dbops.execute.context.Repositories`; ``writers`` are the backups being written, by id."""

    def __init__(self, repository: ByName, writers: Mapping[str, BackupWriter] | None = None) -> None:
        self._repository = repository
        self._writers = dict(writers or {})

    def read(self, source: FromRepository) -> Readable:
        """Clear bytes of the very artifact that the plan names.

        :raises InputError: the backup holds another artifact under this name than when the plan was made.
        """
        repository = self._repository(source.repository)
        manifest = repository.manifest(source.backup)
        found = next((one for one in manifest.artifacts if one.name == source.artifact), None)
        if found is None or found.clear.sha256 != source.sha256:
            raise InputError(
                f"the backup {source.backup} does not hold {source.artifact!r} as the plan describes it",
                hint="Make the plan again.",
            )
        return repository.open(manifest, source.artifact)

    def write(self, sink: ToRepository, name: str, stream: Readable) -> Mapping[str, Value]:
        """Store a stream as an artifact of a backup being written."""
        if sink.backup not in self._writers:
            raise UsageError(f"the backup {sink.backup} is not being written in this run")
        artifact = self._writers[sink.backup].write(name, stream)
        return {
            "bytes": artifact.clear.size,
            "stored_bytes": artifact.stored.size,
            "sha256": artifact.clear.sha256,
        }


def repository_calls(repository: ByName) -> Provider:
    """The operations that a plan may ask of a repository: ``delete``, ``pin``, ``unpin``."""

    def run(operation: str, arguments: Mapping[str, object]) -> Mapping[str, Value]:
        store = repository(str(arguments["repository"]))
        backup, by, reason = (str(arguments.get(key, "")) for key in ("backup", "by", "reason"))
        _same_manifest(store, backup, str(arguments.get("digest", "")))
        if operation == "delete":
            store.delete(backup, by=by, reason=reason)
        elif operation == "pin":
            store.pin(backup, by=by, reason=reason)
        elif operation == "unpin":
            store.unpin(backup, by=by, reason=reason)
        else:
            raise UsageError(f"a repository has no operation {operation!r}")
        return {"backup": backup}

    return run


def _same_manifest(store: Repository, backup: str, digest: str) -> None:
    if digest and store.manifest(backup).digest != digest:
        raise InputError(f"the manifest of {backup} is not the one that the plan names", hint="Make the plan again.")
