"""JSON documents: one envelope for every command, and one for a failure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

import msgspec

from dbops import __version__
from dbops.model.finding import Missing

__all__ = ["document", "failure"]

FAILURE = "dbops.error/1"


def document(
    result: object,
    *,
    schema: str,
    generated_at: datetime,
    status: str | None = None,
    target: Mapping[str, object] | None = None,
) -> str:
    """The result of a command: the envelope's fields, then the fields of ``result``, every one of them always there.

    :param result: a struct or a mapping. A field of it that the envelope has too wins (``status``).
    :param schema: such as ``dbops.health.check/1``.
    :param generated_at: must have an offset.
    """
    fields = plain(result)
    envelope = {
        "schema": schema,
        "generated_at": generated_at.astimezone(UTC).isoformat(timespec="seconds"),
        "dbops": __version__,
        "target": dict(target) if target is not None else None,
        "status": status,
    }
    own = {name: value for name, value in fields.items() if not (name == "status" and status is not None)}
    return text({**envelope, **own})


def failure(error: Mapping[str, object], generated_at: datetime | None = None) -> str:
    """What a command prints instead of its result: ``error`` has class, code, message and hint."""
    at = generated_at or datetime.now(UTC)
    return document({"error": dict(error)}, schema=FAILURE, generated_at=at, status="error")


def text(value: object) -> str:
    """Indented JSON with a final newline."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"


# Any: the plain values of a JSON document.
def plain(result: object) -> dict[str, Any]:
    """A struct as plain values; an absent fact reads ``{"missing": reason, "detail": …}``."""
    found = _plain(result)
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {"value": found}


def _plain(value: object) -> Any:
    if isinstance(value, Missing):
        return {"missing": value.reason, "detail": value.detail}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, msgspec.Struct):
        return _struct(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in cast("Mapping[object, object]", value).items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(inner) for inner in cast("Iterable[object]", value)]
    return msgspec.to_builtins(value)


def _struct(value: msgspec.Struct) -> dict[str, Any]:
    config = type(value).__struct_config__
    head: dict[str, Any] = {str(config.tag_field): config.tag} if config.tag is not None else {}
    names = zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True)
    return {**head, **{name: _plain(getattr(value, field)) for field, name in names}}
