"""Licence plates of 19 countries, rendered with real fonts as a camera sees them, 32 x 128 grey; nine fonts apart."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path

import numpy as np

from lanista.errors import UsageError
from lanista.perception.data._made import Arrays, made_once
from lanista.perception.data._plate_layouts import LAYOUTS
from lanista.perception.dataset import DataSet, Examples, Source, find
from lanista.plugs import required

# Family -> the Debian package it comes in and its files.
KNOWN_FONTS = {
    "Roadgeek": ("fonts-roadgeek", "RG2014[BCDEF].ttf"),
    "OSP-DIN": ("fonts-opendin", "OSP-DIN.ttf"),
    "DejaVu Sans": ("fonts-dejavu-core", "DejaVuSans*.ttf"),
    "Liberation Sans": ("fonts-liberation", "LiberationSans-*.ttf"),
    "Liberation Sans Narrow": ("fonts-liberation", "LiberationSansNarrow-*.ttf"),
    "Liberation Mono": ("fonts-liberation", "LiberationMono-*.ttf"),
    "Inconsolata": ("fonts-inconsolata", "Inconsolata.otf"),
    "Roboto": ("fonts-roboto-unhinted", "Roboto*.ttf"),
    "Lato": ("fonts-lato", "Lato-*.ttf"),
    "Open Sans": ("fonts-open-sans", "OpenSans-*.ttf"),
    "Cabin": ("fonts-cabin", "Cabin-*.otf"),
    "Carlito": ("fonts-crosextra-carlito", "Carlito-*.ttf"),
    "Go": ("fonts-go", "Go-*.ttf"),
    "FreeSans": ("fonts-freefont-ttf", "FreeSans*.ttf"),
    "Oxygen": ("fonts-oxygen", "Oxygen*.ttf"),
    "Karla": ("fonts-karla", "Karla-*.otf"),
    "Fira Code": ("fonts-firacode", "FiraCode-*.ttf"),
    "JetBrains Mono": ("fonts-jetbrains-mono", "JetBrainsMono-*.ttf"),
    "Gillius": ("fonts-adf-gillius", "GilliusADF-*.otf"),
    "Universalis": ("fonts-adf-universalis", "UniversalisADFStd-*.otf"),
    "Switzera": ("fonts-adf-switzera", "SwitzeraADF-*.otf"),
    "Cantarell": ("fonts-cantarell", "Cantarell-*.otf"),
    "League Spartan": ("fonts-league-spartan", "LeagueSpartan-*.otf"),
    "Play": ("fonts-play", "Play-*.ttf"),
    "Quicksand": ("fonts-quicksand", "Quicksand-*.ttf"),
    "Comfortaa": ("fonts-comfortaa", "Comfortaa-*.ttf"),
    "Verana Sans": ("fonts-adf-verana", "VeranaSans*.otf"),
    "Libris": ("fonts-adf-libris", "LibrisADFStd-*.otf"),
    "Junction": ("fonts-junction", "Junction.otf"),
    "League Mono": ("fonts-league-mono", "LeagueMono-*.otf"),
    "Hack": ("fonts-hack", "Hack-*.ttf"),
    "Hermit": ("fonts-hermit", "Hermit-*.otf"),
    "Fantasque Sans Mono": ("fonts-fantasque-sans", "FantasqueSansMono-*.ttf"),
    "Monoid": ("fonts-monoid", "Monoid-*.ttf"),
    "Agave": ("fonts-agave", "agave-*.ttf"),
    "Beteckna": ("fonts-beteckna", "BetecknaGS*.ttf"),
    "Dustismo": ("fonts-dustin", "Dustismo.ttf"),
}
UNSEEN_FONTS = {
    "Bebas Neue": ("fonts-bebas-neue", "BebasNeue-*.otf"),
    "Dosis": ("fonts-dosis", "Dosis-*.otf"),
    "National Park": ("fonts-national-park", "NationalPark-*.otf"),
    "Routed Gothic": ("fonts-routed-gothic", "routed-gothic*.ttf"),
    "Allerta": ("fonts-allerta", "allerta_medium.otf"),
    "Mononoki": ("fonts-mononoki", "mononoki-*.ttf"),
    "Jura": ("fonts-jura", "Jura-*.otf"),
    "OCR B": ("fonts-ocr-b", "OCRB.otf"),
    "B612": ("fonts-b612", "B612*.otf"),
}
UNLIKE = ("ital", "obl", "light", "thin", "hairline", "outline", "boldcondit", "half")  # faces that plates have not

SOURCE = Source(
    modality="picture",
    licence="rendered; fonts: OFL 1.1, Apache 2.0, MIT, BSD, Bitstream Vera, GPL 2+ and 3+ (most with font exceptions)",
    packages=tuple(f"deb:{package}" for package, _ in sorted({*KNOWN_FONTS.values(), *UNSEEN_FONTS.values()})),
    places=("/usr/share/fonts",),
    patterns=tuple(pattern for _, pattern in (*KNOWN_FONTS.values(), *UNSEEN_FONTS.values())),
    extra="perception",
    megabytes=25,
)
VERSION = 2  # of the rendering: another one makes the cached pictures anew
SEEDS = {"train": 1, "test": 2, "unseen fonts": 3}


def load(count: int = 30_000, tests: int = 1500) -> DataSet:
    """Plates with their texts; a group is a family of fonts. The same ones each time, kept once they are made.

    Args:
        count: in the part "train", whose letters are also made bolder, thinner, narrower, slanted.
        tests: in each of "test" (the same fonts) and "unseen fonts" (nine families that "train" has not).
    """
    required("PIL", "perception", "the data set 'plates'")
    if not 1 <= count <= 1_000_000 or not 1 <= tests <= 100_000:
        raise UsageError("the data set 'plates' takes 'count' from 1 to 1,000,000 and 'tests' from 1 to 100,000")
    known, unseen = font_files(KNOWN_FONTS), font_files(UNSEEN_FONTS)
    parts = {}
    for part, seed in SEEDS.items():
        fonts, many = unseen if part == "unseen fonts" else known, count if part == "train" else tests
        varied = part == "train"
        arrays = made_once("plates", _about(fonts, many, seed), partial(_make, fonts, many, seed, varied))
        groups = [] if part == "test" else arrays["families"].tolist()
        parts[part] = Examples(arrays["pictures"], arrays["texts"].tolist(), groups)
    return DataSet(parts)


def font_files(fonts: dict[str, tuple[str, str]]) -> list[tuple[str, Path]]:
    """(family, file) of the upright faces that plates may have.

    Raises:
        UsageError: a family is not on this machine.
    """
    return [
        (family, file)
        for family, (_, pattern) in fonts.items()
        for file in find("plates", SOURCE, pattern)
        if not any(word in file.stem.lower() for word in UNLIKE)
    ]


def _about(fonts: list[tuple[str, Path]], count: int, seed: int) -> dict[str, object]:
    files = {file.name: hashlib.sha256(file.read_bytes()).hexdigest()[:16] for _, file in fonts}
    return {"fonts": files, "count": count, "seed": seed, "version": VERSION, "layouts": repr(LAYOUTS)}


def _make(fonts: list[tuple[str, Path]], count: int, seed: int, varied: bool) -> Arrays:
    from lanista.perception.data._plate_rendering import render

    pictures, texts, families = render(fonts, count, seed, varied)
    return {"pictures": pictures, "texts": np.array(texts), "families": np.array(families)}
