"""The tables of the state database, as queries see them; ``migrations`` makes them."""

from __future__ import annotations

from sqlalchemy import Column, Integer, MetaData, String, Table, Text

__all__ = ["RUNS"]

METADATA = MetaData()

RUNS = Table(
    "runs",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("target", String(200), nullable=False),
    Column("name", String(200), nullable=False),
    # ISO 8601 in UTC: it sorts as text, and means the same in every database.
    Column("started_at", String(40), nullable=False),
    Column("finished_at", String(40), nullable=False),
    Column("status", String(40), nullable=False),
    Column("code", Integer, nullable=False),
    Column("facts", Text, nullable=False),
)
