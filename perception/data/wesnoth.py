"""What is said in The Battle for Wesnoth and its campaigns, in English and in a translation (Debian's 1.16).

About 16,000 messages a language, from gettext catalogues: stories, talk, help, menus. Names that stay as they are in
the translation are left out.
"""

from __future__ import annotations

import gettext
import re
from pathlib import Path

from lanista.errors import UsageError
from lanista.perception.dataset import DataSet, Examples, Source, find

CAMPAIGNS = ("did", "dm", "dw", "ei", "httt", "l", "low", "nr", "sof", "sota", "sotbe", "thot", "trow", "tsg", "ttb")
SOURCE = Source(
    modality="text",
    licence="GPL-2+: fetch, do not redistribute with other things",
    packages=("deb:wesnoth-1.16-data", *(f"deb:wesnoth-1.16-{name}" for name in CAMPAIGNS), "deb:wesnoth-1.16-utbs"),
    places=("/usr/share/games/wesnoth/1.16",),
    megabytes=270,
)
MARKS = re.compile(r"</?[a-z][^<>]{0,80}>")
SPACES = re.compile(r"[\s\u00a0\u202f\u2009]+")
LETTERS = re.compile(r"[^\w]|\d|_")


def load(language: str = "fr") -> DataSet:
    """Part "all": English messages, their translations; a group is "catalogue: message, its letters alone".

    Messages that differ in capitals, marks and numbers alone have one group, and are there once.

    Args:
        language: as "fr", "de", "es" or "pt_BR".
    """
    catalogues = [path for path in find("wesnoth", SOURCE, "LC_MESSAGES/*.mo") if path.parts[-3] == language]
    if not catalogues:
        known = sorted({path.parts[-3] for path in find("wesnoth", SOURCE, "LC_MESSAGES/*.mo")})
        raise UsageError(f"the data set 'wesnoth' has no language '{language}'; it has {', '.join(known)}")
    pairs: dict[str, tuple[str, str, str]] = {}
    for path in catalogues:
        for english, other in _messages(path):
            key = letters(english)
            if key and key != letters(other):
                pairs.setdefault(key, (english, other, f"{path.stem}: {key}"))
    rows = list(pairs.values())
    return DataSet({"all": Examples([row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows])})


def _messages(path: Path) -> list[tuple[str, str]]:
    """The messages of a catalogue, paragraph by paragraph where both sides have as many."""
    try:
        with path.open("rb") as file:
            found = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]  # what polib would read anew
    except (OSError, ValueError, IndexError) as error:
        raise UsageError(f"{path} is damaged or no catalogue ({error}): lanista data get wesnoth") from None
    pairs = []
    for message, translated in sorted((key, value) for key, value in found.items() if isinstance(key, str) and key):
        english, other = message.split("\x04")[-1].split("^")[-1], translated
        both = (english.strip().split("\n\n"), other.strip().split("\n\n"))
        for one, two in zip(*both, strict=True) if len(both[0]) == len(both[1]) else [(english, other)]:
            pair = (plain(one), plain(two))
            if all(pair):
                pairs.append(pair)
    return pairs


def plain(text: str) -> str:
    """A text without marks of markup, spaces alike."""
    return SPACES.sub(" ", MARKS.sub("", text)).strip()


def letters(text: str) -> str:
    """A text's letters, small."""
    return " ".join(LETTERS.sub(" ", text.lower()).split())
