"""A shop to try dbops on: an embedded PostgreSQL, some 100 MB of data, and bad habits to find.

Everything that is special about the demo is in here; what dbops does with it goes through the public operations.
"""

from dbops_postgresql.demo.shop import Shop, place, start

__all__ = ["Shop", "place", "start"]
