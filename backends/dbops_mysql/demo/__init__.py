"""A shop to try dbops on: an installed MariaDB or MySQL, some 50 MB of data, and bad habits to find.

Everything that is special about the demo is in here; what dbops does with it goes through the public operations.
"""

from dbops_mysql.demo.shop import Shop, place, start

__all__ = ["Shop", "place", "start"]
