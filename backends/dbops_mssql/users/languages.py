"""Languages by the names that the catalog gives them: ``DEFAULT_LANGUAGE`` takes aliases, and shows none of them.

The rows of ``sys.syslanguages``: https://learn.microsoft.com/sql/relational-databases/system-compatibility-views/
"""

from __future__ import annotations

from difflib import get_close_matches

from dbops.errors import InputError

__all__ = ["language"]

NONE = "none"
_BY_ALIAS = {
    "English": "us_english", "German": "Deutsch", "French": "Français", "Japanese": "日本語", "Danish": "Dansk",
    "Spanish": "Español", "Italian": "Italiano", "Dutch": "Nederlands", "Norwegian": "Norsk", "Portuguese": "Português",
    "Finnish": "Suomi", "Swedish": "Svenska", "Czech": "čeština", "Hungarian": "magyar", "Polish": "polski",
    "Romanian": "română", "Croatian": "hrvatski", "Slovak": "slovenčina", "Slovenian": "slovenski",
    "Greek": "ελληνικά", "Bulgarian": "български", "Russian": "русский", "Turkish": "Türkçe",
    "British English": "British", "Estonian": "eesti", "Latvian": "latviešu", "Lithuanian": "lietuvių",
    "Brazilian": "Português (Brasil)", "Traditional Chinese": "繁體中文", "Korean": "한국어",
    "Simplified Chinese": "简体中文", "Arabic": "Arabic", "Thai": "ไทย",
}  # fmt: skip
_KNOWN = {name.casefold(): name for name in _BY_ALIAS.values()} | {
    alias.casefold(): name for alias, name in _BY_ALIAS.items()
}


def language(said: str, where: str) -> str:
    """The server's name of a language; empty for ``none``, which is the database's own.

    :raises InputError: there is no such language.
    """
    if said.lower() == NONE:
        return ""
    if said.casefold() not in _KNOWN:
        close = get_close_matches(said.casefold(), _KNOWN, n=1)
        hint = f"Did you mean {close[0]!r}?" if close else f"There is: none, {', '.join(_BY_ALIAS)}."
        raise InputError(f"{where}: there is no language {said!r}", hint=hint)
    return _KNOWN[said.casefold()]
