"""What the tests of users inside databases share: two passwords, somebody, and whether he gets in."""

from __future__ import annotations

from dbops.errors import DbopsError
from dbops.testing.mssql import MssqlDatabase, MssqlServer

__all__ = ["FIRST", "PERSON", "SECOND", "sales", "signed_in"]

FIRST, SECOND = "First-word-4711", "Second-word-4712"
PERSON = {"attributes": ["contained"], "password": "env:FIRST", "member_of": ["app_read"]}


def sales(server: MssqlServer) -> MssqlDatabase:
    """The database ``shop``, with ``sales.orders`` in it."""
    made = MssqlDatabase(server, "shop")
    made.sql("CREATE SCHEMA sales")
    made.sql("CREATE TABLE sales.orders (id int NOT NULL PRIMARY KEY)")
    return made


def signed_in(shop: MssqlDatabase, name: str, password: str) -> bool:
    """Whether the password lets him read."""
    shop.server.remember(name, password)
    try:
        shop.sql("SELECT id FROM sales.orders", user=name)
    except DbopsError:
        return False
    return True
