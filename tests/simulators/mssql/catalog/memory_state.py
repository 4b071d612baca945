"""The memory of the machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.simulators.mssql.registry import view
from tests.simulators.mssql.scope import Scope

KIB_PER_GIB = 2**20


@view(
    "sys.dm_os_sys_memory",
    """
    total_physical_memory_kb bigint
    available_physical_memory_kb bigint
    total_page_file_kb bigint
    available_page_file_kb bigint
    system_cache_kb bigint
    kernel_paged_pool_kb bigint
    kernel_nonpaged_pool_kb bigint
    system_high_memory_signal_state bit
    system_low_memory_signal_state bit
    system_memory_state_desc nvarchar(256)
    """,
    needs=("VIEW SERVER STATE", "VIEW SERVER PERFORMANCE STATE"),
)
def memory(scope: Scope) -> Iterator[Mapping[str, object]]:
    yield {
        "total_physical_memory_kb": 32 * KIB_PER_GIB,
        "available_physical_memory_kb": 6 * KIB_PER_GIB,
        "total_page_file_kb": 40 * KIB_PER_GIB,
        "available_page_file_kb": 14 * KIB_PER_GIB,
        "system_cache_kb": 4 * KIB_PER_GIB,
        "kernel_paged_pool_kb": 0,
        "kernel_nonpaged_pool_kb": 0,
        "system_high_memory_signal_state": True,
        "system_low_memory_signal_state": False,
        "system_memory_state_desc": "Available physical memory is high",
    }
