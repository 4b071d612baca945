"""One dump of several databases as a stream for each: whole, in order, and never cut by what somebody wrote into it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbops.errors import ToolFailed
from dbops_mysql.backup.split import WHOLE, Splitter
from dbops_mysql.quoting import identifier

HEADER = "-- MySQL dump\n/*!40101 SET NAMES utf8mb4 */;\n"
FOOTER = "/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;\n\n-- Dump completed on 2026-01-31  3:00:00\n"


def mark(name: str) -> str:
    quoted = identifier(name)
    return f"\n--\n-- Current Database: {quoted}\n--\n\nUSE {quoted};\n"


def view(name: str) -> str:
    return f"\n--\n-- Final view structure for view `{name}`\n--\nCREATE VIEW {name};\n"


def in_pieces(text: bytes, size: int) -> Callable[[int], bytes]:
    rest = [text[at : at + size] for at in range(0, len(text), size)]
    return lambda _n: rest.pop(0) if rest else b""


def read(splitter: Splitter, block: int = 7) -> list[tuple[str, bool, bytes]]:
    found: list[tuple[str, bool, bytes]] = []
    for part in splitter.parts():
        pieces: list[bytes] = []
        while piece := part.read(block):
            pieces.append(piece)
        found.append((part.database, part.views, b"".join(pieces)))
    return found


def split(text: str, names: list[str], size: int = 1 << 20) -> list[tuple[str, bool, bytes]]:
    return read(Splitter(in_pieces(text.encode(), size), names))


NAMES = st.lists(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20),
    min_size=1,
    max_size=4,
    unique=True,
)
TEXTS = st.lists(st.text("ab-\n` ;", max_size=200).map(lambda one: one.replace("Current", "")), min_size=8, max_size=8)


@given(NAMES, TEXTS, st.integers(1, 300), st.booleans())
def test_what_goes_in_comes_out_once_and_in_its_place(
    names: list[str], texts: list[str], size: int, has_views: bool
) -> None:
    text = HEADER + "".join(mark(name) + texts[at] for at, name in enumerate(names))
    if has_views:
        text += "".join(mark(name) + view(f"v{at}") for at, name in enumerate(names))
    found = split(text + FOOTER, names, size)
    tables = [(name, body) for name, views, body in found if not views]
    assert [name for name, _ in tables] == names
    for at, (_, body) in enumerate(tables):
        last = at == len(names) - 1 and not has_views
        assert body == (HEADER + texts[at] + (FOOTER if last else "")).encode() + WHOLE
    views = [(name, body) for name, views, body in found if views]
    assert [name for name, _ in views] == (names if has_views else [])
    for at, (_, body) in enumerate(views):
        assert view(f"v{at}").encode() in body
        assert body.startswith(HEADER.encode())


def test_a_database_without_views_gets_no_second_stream() -> None:
    text = HEADER + mark("a") + "A" + mark("b") + "B" + mark("a") + view("v") + mark("b") + FOOTER
    assert [(name, views) for name, views, _ in split(text, ["a", "b"])] == [("a", False), ("b", False), ("a", True)]


@pytest.mark.parametrize(
    "body",
    [
        mark("b"),  # too early
        mark("c"),  # another one
        mark("a"),  # once more
        "\n--\n-- Current Database: hello",
    ],
)
def test_a_stored_program_that_looks_like_a_dump_is_refused(body: str) -> None:
    text = HEADER + mark("a") + "x" + body + "y" + mark("b") + "B" + mark("a") + view("v") + mark("b") + FOOTER
    with pytest.raises(ToolFailed, match="cannot be told apart by databases") as failed:
        split(text, ["a", "b"])
    assert "stored program" in failed.value.hint


@pytest.mark.parametrize("names", [["a"], ["a", "b"]])
def test_a_dump_that_was_cut_off_is_none(names: list[str]) -> None:
    whole = HEADER + "".join(mark(name) + "INSERT;\n" for name in names) + FOOTER
    for end in (len(whole) - len(FOOTER), len(whole) - len("-- Dump completed on 2026-01-31  3:00:00\n")):
        with pytest.raises(ToolFailed, match="without its last line"):
            split(whole[:end], names)
    with pytest.raises(ToolFailed, match="cannot be told apart"):
        split(HEADER, names)


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=20), st.integers(100, 3000))
def test_the_longest_line_is_found_whatever_the_blocks(lengths: list[int], size: int) -> None:
    body = "\n".join("x" * length for length in lengths)
    text = mark("a") + body + "\n" + FOOTER
    splitter = Splitter(in_pieces(text.encode(), size), ["a"])
    read(splitter)
    longest = max(len(line) for line in f"{body}\n{FOOTER}".split("\n"))
    assert longest <= splitter.largest <= max(longest + 1, size + len(mark("a")))


def test_what_fails_while_it_is_read_comes_through() -> None:
    def failing(_n: int) -> bytes:
        raise ToolFailed("mysqldump was killed by SIGKILL")

    with pytest.raises(ToolFailed, match="killed"):
        read(Splitter(failing, ["a"]))


@pytest.mark.parametrize("size", [1, 3, 7, 100, 1 << 20])
def test_a_semicolon_where_nothing_could_load_it_is_taken_out(size: int) -> None:
    trigger = "/*!50003 TRIGGER `t` BEFORE INSERT ON `a` FOR EACH ROW SET NEW.a = 1; */;;\nDELIMITER ;\n"
    event = "/*!50106 EVENT `e` ON SCHEDULE EVERY 1 DAY DO DELETE FROM t; */ ;;\nDELIMITER ;\n"
    rows = "INSERT INTO `a` VALUES ('x; */;;\\n');\n"
    ((_, _, body),) = split(HEADER + mark("a") + rows + trigger + event + FOOTER, ["a"], size)
    expected = HEADER + rows + trigger.replace("1; */", "1 */") + event.replace("t; */", "t */") + FOOTER
    assert body == expected.encode() + WHOLE
