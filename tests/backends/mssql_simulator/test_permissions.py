"""The list of permissions, against what the documentation says of it; a spec's own list, against that list."""

from __future__ import annotations

import pytest

from dbops_mssql.users.builtin import shipped
from tests.simulators.mssql.permissions import BUILTIN, of_class

# https://learn.microsoft.com/sql/relational-databases/security/permissions-database-engine
COUNTED = {13: 230, 14: 238, 15: 248, 16: 292}
BEHIND_2022 = {
    "access to system metadata": 10, "extended events": 18, "security-related objects": 9, "ledger": 4, "other": 3,
}  # fmt: skip
CODES_OF_2022 = {
    "VIEW SECURITY DEFINITION": "VWS", "VIEW PERFORMANCE DEFINITION": "VWP", "VIEW DATABASE SECURITY STATE": "VDS",
    "VIEW DATABASE PERFORMANCE STATE": "VDP", "VIEW DATABASE SECURITY AUDIT": "VDSA", "CREATE USER": "CUSR",
    "VIEW CRYPTOGRAPHICALLY SECURED DEFINITION": "VCD", "ALTER LEDGER": "ALR", "ALTER LEDGER CONFIGURATION": "ALC",
    "ENABLE LEDGER": "EL", "VIEW LEDGER CONTENT": "VLC", "ALTER ANY EXTERNAL JOB": "AESJ",
    "ALTER ANY EXTERNAL STREAM": "AEST", "EXECUTE ANY EXTERNAL ENDPOINT": "EAEE",
    "CREATE ANY DATABASE EVENT SESSION": "CRDS", "DROP ANY DATABASE EVENT SESSION": "DRDS",
    "ALTER ANY DATABASE EVENT SESSION ADD EVENT": "LDAE", "ALTER ANY DATABASE EVENT SESSION ADD TARGET": "LDAT",
    "ALTER ANY DATABASE EVENT SESSION DISABLE": "DDES", "ALTER ANY DATABASE EVENT SESSION DROP EVENT": "LDDE",
    "ALTER ANY DATABASE EVENT SESSION DROP TARGET": "LDDT", "ALTER ANY DATABASE EVENT SESSION ENABLE": "EDES",
    "ALTER ANY DATABASE EVENT SESSION OPTION": "LDSO",
}  # fmt: skip


@pytest.mark.parametrize("major", COUNTED)
def test_there_are_as_many_as_the_documentation_counts(major: int) -> None:
    assert sum(one.since <= major for one in BUILTIN.values()) == COUNTED[major]


def test_what_2022_added_is_what_the_documentation_lists() -> None:
    added = {(one.class_desc, one.name): one.type for one in BUILTIN.values() if one.since == 16}
    assert len(added) == sum(BEHIND_2022.values())
    of_database = {name: code for (class_desc, name), code in added.items() if class_desc == "DATABASE"}
    assert of_database == CODES_OF_2022
    elsewhere = {key for key in added if key[0] not in ("DATABASE", "SERVER")}
    assert elsewhere == {
        ("CREDENTIAL", "CONTROL"), ("CREDENTIAL", "REFERENCES"), ("OBJECT", "UNMASK"), ("SCHEMA", "UNMASK")
    }  # fmt: skip


def test_a_code_means_one_permission_of_a_class() -> None:
    for class_desc in {one.class_desc for one in BUILTIN.values()}:
        codes = [one.type for one in of_class(class_desc, 16)]
        assert all(1 < len(code) <= 4 for code in codes), class_desc
        assert len(set(codes)) == len(codes), class_desc


def test_it_is_a_graph_whose_root_is_control_server() -> None:
    """As the page of sys.fn_builtin_permissions says: directed, without a circle, and of one root."""
    for one in BUILTIN.values():
        above = [(one.class_desc, one.covering)] if one.covering else []
        above += [(one.parent, one.parent_covering)] if one.parent else []
        assert all(BUILTIN[key].since <= one.since for key in above), one
        assert above or (one.class_desc, one.name) == ("SERVER", "CONTROL SERVER")
    seen = {("SERVER", "CONTROL SERVER")}
    while True:
        more = {
            (one.class_desc, one.name)
            for one in BUILTIN.values()
            if (one.class_desc, one.covering) in seen or (one.parent, one.parent_covering) in seen
        } - seen
        if not more:
            break
        seen |= more
    assert seen == set(BUILTIN)


@pytest.mark.parametrize("major", [13, 14, 15, 16, 17])
def test_a_spec_may_say_what_there_is_on_that_release(major: int) -> None:
    for kind, class_desc in (("server", "SERVER"), ("database", "DATABASE"), ("schema", "SCHEMA"), ("login", "LOGIN")):
        assert set(shipped(major).kinds[kind].actions) == {one.name for one in of_class(class_desc, major)}
    assert ("UNMASK" in shipped(major).kinds["column"].actions) == (major >= 16)
