"""Doors that stand open: no grant tables at all, and connections that anybody can listen to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from dbops.health.answers import Answers, Unanswered
from dbops.model.finding import Missing, Remedy
from dbops.model.health import Check, Observation, Row, Status, Threshold
from dbops_mysql.health.checks.rule import OWN, Context, Family, Rule, status, variables
from dbops_mysql.probe import skips_grants

__all__ = ["moment", "rules"]

OLD_PROTOCOLS = ("TLSV1", "TLSV1.0", "TLSV1.1")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAY = 86_400.0


def rules(family: Family) -> tuple[Rule, ...]:
    """Of one engine."""
    return (Rule(_skip_check(family), _skips), Rule(_tls_check(family), _tls))


def _skip_check(family: Family) -> Check:
    return Check(
        id="my.access.skip_grants",
        title="The server asks who somebody is",
        engine=family.name,
        unit="",
        threshold=Threshold(),
        source=OWN,
        privilege="none",
        remedy=Remedy(
            text="Take skip-grant-tables out of the configuration and restart at once. Until then cut it off from the "
            "network. Whoever was on it meanwhile may have read or changed everything.",
            sql="FLUSH PRIVILEGES;",
            risk="restart",
            url=family.pages["skip_grants"],
        ),
    )


def _tls_check(family: Family) -> Check:
    return Check(
        id="my.tls",
        title="Days until the server's certificate expires",
        engine=family.name,
        unit="days",
        needs=("status", "variables"),
        threshold=Threshold(warning=30, critical=7, low_bad=True),
        source=OWN,
        privilege="none",
        remedy=Remedy(
            text="Give the server a certificate (ssl_cert, ssl_key) and tls_version = TLSv1.2,TLSv1.3; a new one is "
            "taken up by ALTER INSTANCE RELOAD TLS (MySQL) or FLUSH SSL (MariaDB).",
            url=family.pages["tls"],
        ),
    )


def _skips(_answers: Answers, context: Context) -> Iterator[Observation]:
    if skips_grants(context.server):
        yield Observation(
            summary="skip-grant-tables: whoever reaches this server may do everything, under any name",
            state=Status.CRITICAL,
        )
        return
    yield Observation(summary="accounts and their rights count", state=Status.OK)


def _tls(answers: Answers, context: Context) -> Iterator[Observation]:
    known, counters = variables(answers), status(answers)
    if known.get("skip_networking") in ("ON", "1"):
        missing = Missing("feature_off", "skip_networking: there are local connections alone")
        yield Observation(summary="nobody connects over a network", missing=missing, state=Status.SKIPPED)
        return
    until = counters.get("ssl_server_not_after")
    if until is None:
        raise Unanswered(Missing("no_rows", "this server does not tell Ssl_server_not_after"))
    if not until:
        summary = "there is no TLS: passwords and data can be listened to"
        yield Observation(summary=summary, state=Status.WARNING, evidence={"have_ssl": known.get("have_ssl", "")})
        return
    yield from _protocols(known.get("tls_version", ""))
    yield _certificate(until, context.now, known)


def _protocols(text: str) -> Iterator[Observation]:
    old = [word for word in text.split(",") if word.strip().upper() in OLD_PROTOCOLS]
    if old:
        yield Observation(
            object="parameter:tls_version",
            summary=f"old protocols are accepted: {', '.join(old)}",
            state=Status.WARNING,
            evidence={"tls_version": text},
        )


def _certificate(until: str, now: datetime, known: dict[str, str]) -> Observation:
    end = moment(until)
    if end is None:
        missing = Missing("null_value", f"the certificate is valid until {until!r}")
        return Observation(summary="when it expires is not known", missing=missing)
    evidence: Row = {"expires_at": end.isoformat(), "tls_version": known.get("tls_version", "")}
    required = known.get("require_secure_transport") in ("ON", "1")
    plain = "" if required else "; connections without TLS are accepted, too"
    days = (end - now).total_seconds() / DAY
    word = "expires" if days >= 0 else "expired"
    return Observation(
        summary=f"the certificate {word} on {end:%Y-%m-%d}{plain}", value=round(days, 2), evidence=evidence
    )


def moment(text: str) -> datetime | None:
    """``Nov  2 16:09:06 2036 GMT``, as OpenSSL prints it, in whatever language this process runs."""
    words = text.replace(":", " ").split()
    try:
        month, day, hour, minute, second, year = words[:6]
        return datetime(int(year), MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second), tzinfo=UTC)
    except ValueError:
        return None
