"""The checksum of every page of a stopped copy, by the server's own ``innochecksum``."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from dbops import process
from dbops.model.server import Endpoint
from dbops.plan import Value
from dbops.spi import Runtime
from dbops_mysql.backup.answers import answer, bad, good, unknown

__all__ = ["check_pages", "data_ranges"]

TABLESPACES = ("*.ibd", "*/*.ibd", "undo*", "*.ibu")
LINES = 5
EXTENT_BYTES = 1 << 20
# Where the system tablespace says which two extents of it are the doublewrite buffer: in its sixth page, 200 bytes
# before the end, after the header of a segment. MySQL has that buffer in other files since 8.0.20, and this area still.
TRX_SYS_PAGE, FROM_END, SEGMENT_HEADER, MAGIC = 5, 200, 10, 536853855
Range = tuple[int, int | None]


def check_pages(arguments: Mapping[str, object], _endpoint: Endpoint, runtime: Runtime) -> Mapping[str, Value]:
    """Arguments: ``data``, ``tool`` (the path of innochecksum), ``page_size``, ``system`` (the setting
    ``innodb_data_file_path``)."""
    tool, data = Path(str(arguments["tool"])), Path(str(arguments["data"]))
    if not tool.is_file():
        why = f"{tool} is not installed: checksums of pages were not looked at"
        return answer(unknown("pages", why, "tool_missing"))
    size = int(str(arguments["page_size"]))
    system = [data / one.partition(":")[0] for one in str(arguments["system"]).split(";")]
    found = (path for pattern in TABLESPACES for path in data.glob(pattern))
    files = sorted({path for path in (*system, *found) if path.is_file() and path.stat().st_size})

    def look(path: Path) -> str:
        return _wrong(tool, path, size, path in system)

    with ThreadPoolExecutor(runtime.host.cpus) as pool:
        wrong = [said for said in pool.map(look, files) if said]
    if wrong:
        more = f" … and {len(wrong) - LINES} more" if len(wrong) > LINES else ""
        return answer(bad("pages", f"pages are damaged: {'; '.join(wrong[:LINES])}{more}"))
    return answer(good("pages", f"the checksum of every page of {len(files):,} tablespaces is right"))


def data_ranges(path: Path, page_size: int, *, system: bool) -> tuple[Range, ...]:
    """The pages of a tablespace (the ``system`` one, or another) that hold data, as first and last page; None for the
    end of the file.

    The doublewrite buffer is left out: pages that were being written when the copy was made may be there, cut in the
    middle, which is what it is for.
    """
    blocks = _doublewrite(path, page_size) if system else ()
    extent, start = EXTENT_BYTES // page_size, 0
    ranges: list[Range] = []
    for block in sorted(set(blocks)):
        if block > start:
            ranges.append((start, block - 1))
        start = block + extent
    if start * page_size < path.stat().st_size:
        ranges.append((start, None))
    return tuple(ranges)


def _doublewrite(path: Path, page_size: int) -> tuple[int, ...]:
    with path.open("rb") as file:
        file.seek((TRX_SYS_PAGE + 1) * page_size - FROM_END + SEGMENT_HEADER)
        with suppress(struct.error):
            magic, first, second = struct.unpack(">III", file.read(12))
            return (first, second) if magic == MAGIC else ()
    return ()


def _wrong(tool: Path, path: Path, page_size: int, system: bool) -> str:
    ranges = data_ranges(path, page_size, system=system)
    said = next((said for one in ranges for said in _asked(tool, path, one)), "")
    return f"{path.parent.name}/{path.name}: {said}" if said else ""


def _asked(tool: Path, path: Path, pages: Range) -> Iterator[str]:
    first, last = pages
    argv: list[str | Path] = [tool]
    argv += [f"--start-page={first}"] if first else []
    argv += [f"--end-page={last}"] if last is not None else []
    done = process.run([*argv, path], env={"LC_ALL": "C"})
    if done.returncode != 0:
        said = " ".join(re.split(r"\s+", done.stderr or done.stdout)[:30]).strip()
        yield said or process.describe((tool.name,), done.returncode)
