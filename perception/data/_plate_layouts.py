"""What stands on the licence plates of some countries, how it is set and in which colours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGITS = "0123456789"
ALPHABET = DIGITS + LETTERS

WHITE, BLACK = (240, 240, 238), (22, 22, 24)
YELLOW, BLUE, GREEN, RED = (242, 190, 30), (20, 50, 140), (20, 95, 60), (170, 30, 40)
Colour = tuple[int, int, int]

# The largest towns' and some districts' letters.
GERMAN = (
    "A AC B BI BN BO BS C D DA DD DO DU E ER F FR GE H HA HAL HB HD HH HRO HU K KA KI KR KS L LB LU M MA MD MG MS MZ N "
    "NK OB OF OG OL OS PB PF R REG RT S SB SG SI SL SU TR TUT UL UN VIE W WI WOB WES ZW"
)
POLISH = "BI CB DW EL FZ GD GA KR KT LU NO OP PO PZ RZ SK SC TK WA WE WI ZS ZK DKL EPA GKW KOL LUB POB SBE WPR"
INDIAN = "AP AS BR CH DL GA GJ HR JH KA KL MH MP OD PB RJ TN TS UK UP WB"
ISSUERS = {"german": GERMAN, "polish": POLISH, "indian": INDIAN}


@dataclass(frozen=True)
class Layout:
    """A country's plates.

    Attributes:
        patterns: "A" is a letter, "9" a digit, "_" a gap, "-" a dash that is seen and not read, "#" who issued it.
        letters: those that are in use.
        issuers: a key of `ISSUERS`, for "#".
        colours: (ground, ink), the first ones likelier.
        aspect: width to height.
        band: what is at the plate's edge: "left" a blue band with the country's letters, "both", "top", or none.
        caption: small words at the edges, not to be read.
    """

    patterns: tuple[str, ...]
    letters: str = LETTERS
    issuers: str = ""
    colours: tuple[tuple[Colour, Colour], ...] = ((WHITE, BLACK),)
    aspect: float = 4.7
    band: str = ""
    caption: tuple[str, ...] = ()


def _without(unused: str) -> str:
    return "".join(letter for letter in LETTERS if letter not in unused)


LAYOUTS = {
    "Germany": Layout(
        ("#_A9", "#_A99", "#_A999", "#_AA99", "#_AA999", "#_AA9999", "#_A9999"),
        _without("IOQ"),  # long kept free, since they are misread
        issuers="german",
        band="left",
    ),
    "France": Layout(("AA-999-AA",), _without("IOU"), band="both"),
    "Spain": Layout(("9999_AAA",), _without("AEIOUQ"), band="left"),
    "Italy": Layout(("AA_999AA",), _without("IOQU"), band="both"),
    "Netherlands": Layout(
        ("99-AAA-9", "9-AAA-99", "AA-999-A", "A-999-AA"),
        _without("AEIOUCMQWY"),
        colours=((YELLOW, BLACK),),
        band="left",
    ),
    "United Kingdom": Layout(
        ("AA99_AAA",), _without("IQ"), colours=((WHITE, BLACK), (YELLOW, BLACK)), aspect=4.68, band="left"
    ),
    "Poland": Layout(("#_99999", "#_9999A", "#_999AA", "#_9A999"), _without("BDIOQZ"), issuers="polish", band="left"),
    "Portugal": Layout(("AA_99_AA", "99_AA_99", "99_99_AA"), _without("KWY"), band="left"),
    "Sweden": Layout(("AAA_999", "AAA_99A"), _without("IQVO"), band="left"),
    "Norway": Layout(
        ("AA_99999",),
        _without("GIMOQW"),
        colours=((WHITE, BLACK), (GREEN, WHITE), (BLACK, YELLOW)),
        band="left",
    ),
    "Finland": Layout(("AAA-999", "AAA-99", "AA-999"), _without("QWO"), band="left"),
    "Czechia": Layout(("9A9_9999", "9AA_9999"), _without("GOQW"), band="left"),
    "Hungary": Layout(("AAA-999", "AA_AA-999"), _without("QO"), band="left"),
    "California": Layout(
        ("9AAA999",),
        _without("IOQ"),
        colours=(((236, 238, 244), (25, 40, 110)), ((30, 30, 34), (240, 190, 40))),
        aspect=2.0,
        caption=("California", "dmv.ca.gov"),
    ),
    "New York": Layout(
        ("AAA-9999",),
        _without("IOQ"),
        colours=(((235, 165, 40), (25, 35, 80)), (WHITE, (25, 35, 80))),
        aspect=2.0,
        caption=("NEW YORK", "EXCELSIOR"),
    ),
    "Texas": Layout(("AAA-9999",), _without("AEIOUQ"), aspect=2.0, caption=("TEXAS", "The Lone Star State")),
    "Brazil": Layout(
        ("AAA9A99",), colours=((WHITE, BLACK), (WHITE, RED)), aspect=3.08, band="top", caption=("BRASIL",)
    ),
    "India": Layout(
        ("#_99_AA_9999", "#_99_A_9999"),
        _without("IO"),
        issuers="indian",
        colours=((WHITE, BLACK), (YELLOW, BLACK), (GREEN, WHITE)),
        aspect=4.2,
    ),
    "Australia": Layout(("AAA-99A", "AAA_999"), _without("O"), colours=((WHITE, BLACK), (YELLOW, BLUE)), aspect=2.78),
}


def draw_text(layout: Layout, random: np.random.Generator) -> str:
    """A plate's text as it is set: read are the letters and digits, "_" is a gap and "-" a dash."""
    pattern = layout.patterns[random.integers(len(layout.patterns))]
    text = ""
    for sign in pattern:
        if sign == "#":
            issuers = ISSUERS[layout.issuers].split()
            text += issuers[random.integers(len(issuers))]
        elif sign in "A9":
            some = layout.letters if sign == "A" else DIGITS
            text += some[random.integers(len(some))]
        else:
            text += sign
    return text


def to_be_read(text: str) -> str:
    """The letters and digits alone."""
    return text.replace("_", "").replace("-", "")
