"""What an exception of the driver means, as one machine reason.

The number of SQL Server's message decides; pyodbc puts it at the end of the text. Where there is none, the SQLSTATE of
ODBC does. The driver mssql-python tells neither, only what it makes of the SQLSTATE, and the server's words.
"""

from __future__ import annotations

import re

__all__ = ["fault", "numbers"]

# https://learn.microsoft.com/en-us/sql/relational-databases/errors-events/database-engine-events-and-errors
_BY_NUMBER = {
    **dict.fromkeys((18452, 18456, 18461, 18470, 18486, 18487, 18488), "auth_failed"),
    **dict.fromkeys((911, 924, 927, 942, 945, 976, 978, 983, 4060, 4064, 40532), "unknown_database"),
    **dict.fromkeys((229, 230, 262, 297, 300, 916, 2571, 3110, 5011, 6102, 15151, 15247), "no_permission"),
    **dict.fromkeys((10928, 10929, 17809, 40501), "too_many_connections"),
    **dict.fromkeys((596, 6005, 17142, 40197, 40613), "connect_failed"),
    **dict.fromkeys((195, 207, 208, 2812, 4121, 40510, 40515, 40517), "not_supported_version"),
    **dict.fromkeys((6101, 6106), "no_session"),
    1205: "deadlock",
    1222: "lock_timeout",
    3960: "concurrent_update",
}
_BY_STATE = {
    "28000": "auth_failed",
    "40001": "deadlock",
    "42S02": "not_supported_version",
    "42S22": "not_supported_version",
    "HYT00": "timeout",
    "HY008": "timeout",
    "HYT01": "connect_failed",
    "08001": "connect_failed",
    "08002": "connect_failed",
    "08003": "connect_failed",
    "08004": "connect_failed",
    "08007": "connect_failed",
    "08S01": "connect_failed",
    "IM002": "driver_missing",
}
# mssql_python/exceptions.py has these words for SQLSTATEs.
_BY_WORDS = {
    "Invalid authorization specification": "auth_failed",
    "Serialization failure": "deadlock",
    "Base table or view not found": "not_supported_version",
    "Column not found": "not_supported_version",
    "Timeout expired": "timeout",
    "Connection timeout expired": "connect_failed",
    "Client unable to establish connection": "connect_failed",
    "Connection not open": "connect_failed",
    "Communication link failure": "connect_failed",
    "Disconnect error": "connect_failed",
    "Server rejected the connection": "unknown_database",
}
_BY_TEXT = {
    "Lock request time out": "lock_timeout",
    "permission was denied": "no_permission",
    "Cannot open database": "unknown_database",
    "timeout expired": "timeout",
    "closed connection": "connect_failed",
}
_NUMBER = re.compile(r" \((-?\d+)\) \(SQL\w+\)")
_BY_DRIVER = {
    "Can't open lib": "driver_missing",
    "certificate verify failed": "certificate_untrusted",
}


def fault(error: BaseException) -> str:
    """The machine reason behind an exception of pyodbc or mssql-python.

    ``certificate_untrusted`` is one of a server that was reached and is not spoken to.

    An object, column or procedure that is not there reads as ``not_supported_version``: our questions name only what
    the catalogue of some version has.
    """
    if isinstance(error, OSError):
        return "timeout" if isinstance(error, TimeoutError) else "connect_failed"
    said = str(error.args[-1]) if error.args else ""
    for words, reason in _BY_DRIVER.items():
        if words in said:
            return reason
    known = [_BY_NUMBER[number] for number in numbers(said) if number in _BY_NUMBER]
    if known:
        # A database that cannot be opened ends the login too: 4060 and 18456, in whichever order.
        return "unknown_database" if set(known) == {"unknown_database", "auth_failed"} else known[0]
    return _by_state(str(error.args[0]) if len(error.args) > 1 else "") or _by_words(error, said) or "query_failed"


def numbers(said: str) -> list[int]:
    """Those of the server's messages in the text of a pyodbc exception, in their order; 0 is the driver's own."""
    return [int(number) for number in _NUMBER.findall(said)]


def _by_state(state: str) -> str:
    return _BY_STATE.get(state, "")


def _by_words(error: BaseException, said: str) -> str:
    known = _BY_WORDS.get(str(getattr(error, "driver_error", "")), "")
    return known or next((reason for words, reason in _BY_TEXT.items() if words in said), "")
