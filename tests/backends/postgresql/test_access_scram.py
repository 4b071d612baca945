"""SCRAM verifiers against the published example and the rules for preparing passwords."""

from __future__ import annotations

import base64

import pytest

from dbops_postgresql.scram import matches, saslprep, verifier

# RFC 7677, section 3: user "user", password "pencil".
SALT = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")


def test_the_example_of_the_rfc() -> None:
    found = verifier("pencil", SALT, 4096)
    assert found == (
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
        "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )
    assert matches("pencil", found)
    assert not matches("Pencil", found)


@pytest.mark.parametrize("stored", ["", "md5abc", "SCRAM-SHA-256$x:y$z:z", "SCRAM-SHA-256$4096:*$"])
def test_what_is_no_verifier_matches_nothing(stored: str) -> None:
    assert not matches("pencil", stored)


@pytest.mark.parametrize(
    ("text", "prepared"),
    [
        ("I\u00adX", "IX"),  # the examples of RFC 4013
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("a\u00a0b", "a b"),
        ("\u0007", "\u0007"),  # forbidden: taken as it is, as the server does
        ("\u0627\u0031", "\u0627\u0031"),
        ("\u0627\u0031\u0627", "\u0627\u0031\u0627"),
        ("\u00ad", "\u00ad"),
    ],
)
def test_passwords_are_prepared(text: str, prepared: str) -> None:
    assert saslprep(text) == prepared
