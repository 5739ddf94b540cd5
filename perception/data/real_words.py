"""English words and letters said by real people: prompts of a telephone exchange, a speaking clock, children's games.

What is said follows from the names of the files. Each speaker is a part and a group: Allison Smith, the voice of the
Asterisk exchange (digits, days, months, the phonetic alphabet and more), D. C. Dawson (saytime), whoever spoke the
words of ktuberling's pictures, and an American and a British speaker of klettres.
"""

from __future__ import annotations

from pathlib import Path

from lanista.errors import UsageError
from lanista.perception.dataset import DataSet, Examples, Source, find
from lanista.perception.inputs.sound import read_sounds

SOURCE = Source(
    modality="sound",
    licence="CC-BY-SA-3.0 (asterisk), GPL-2+ (the others): read, do not pass on",
    packages=("deb:asterisk-core-sounds-en-wav", "deb:saytime", "deb:ktuberling-data", "deb:klettres-data"),
    places=("/usr/share/asterisk/sounds", "/usr/share/saytime", "/usr/share/ktuberling", "/usr/share/klettres"),
    extra="perception",
    megabytes=72,
)
RATE = 8000


def _words(text: str) -> list[str]:
    return text.split()


ONES = _words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
TENS = {20: "twenty", 30: "thirty", 40: "forty", 50: "fifty", 60: "sixty", 70: "seventy", 80: "eighty", 90: "ninety"}
NUMBERS = {**dict(enumerate(ONES)), **TENS}
ORDINALS = _words(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth twentieth"
)
DAYS = _words("sunday monday tuesday wednesday thursday friday saturday")
MONTHS = _words("january february march april may june july august september october november december")
PHONETIC = _words(
    "alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike november oscar papa quebec romeo "
    "sierra tango uniform victor whiskey x-ray yankee zulu"
)
LETTERS = "abcdefghijklmnopqrstuvwxyz"
# Files of asterisk whose name is not what they say, or that say more or less than it.
ASTERISK = {
    **{f"digits/{number}": word for number, word in NUMBERS.items()},
    **{f"digits/h-{place}": word for place, word in enumerate(ORDINALS, 1)},
    **{f"digits/day-{place}": word for place, word in enumerate(DAYS)},
    **{f"digits/mon-{place}": word for place, word in enumerate(MONTHS)},
    **{f"phonetic/{word[0]}_p": word for word in PHONETIC},
    **{f"letters/{letter}": letter for letter in LETTERS},
    **{
        f"digits/{word}": word
        for word in _words("hundred thousand million billion minus pound star today tomorrow yesterday dollars")
    },
    **{f"letters/{word}": word for word in _words("asterisk dash dollar dot equals plus slash space")},
    **{
        word: word
        for word in _words(
            "activated added calling cancelled disabled enabled extension goodbye hello hours location "
            "lowercase minute minutes number removed second seconds sorry time uppercase with your"
        )
    },
    "queue-minute": "minute",
    "queue-minutes": "minutes",
    "queue-seconds": "seconds",
    "vm-minutes": "minutes",
    "vm-extension": "extension",
    "vm-goodbye": "goodbye",
    "pbx-transfer": "transfer",
    "dictate/pause": "pause",
    "dictate/paused": "paused",
    **{f"vm-{word}": word.lower() for word in _words("Family Friends Old Urgent Work and first for from last")},
    **{f"vm-{word}": word for word in _words("message messages no password press received saved")},
}
SAYTIME = {
    **{str(number): word for number, word in NUMBERS.items()},
    **{word: word for word in _words("exactly hour hours minute minutes second seconds")},
}
# Of ktuberling, the pictures with a name of one word; its file's name less the scene's.
KTUBERLING = _words(
    "ball bow coat ear earring eye eyebrow flower hair hat moustache mouth nose shoe shorts skirt spectacles stick "
    "sunglasses tie umbrella egypt_arch egypt_boy egypt_bridge egypt_camel egypt_cart egypt_column egypt_donkey "
    "egypt_girl egypt_grass egypt_man egypt_oasis egypt_pyramid egypt_road egypt_well egypt_woman moon_alien "
    "moon_astronaut moon_earth moon_hotel moon_monster moon_moonwalker moon_planet moon_radar moon_rocket "
    "moon_satellite moon_sign moon_star pizzeria_anchovy pizzeria_bacon pizzeria_cheese pizzeria_cucumber "
    "pizzeria_mushroom pizzeria_olive pizzeria_onion pizzeria_oregano pizzeria_pepper pizzeria_pepperoni "
    "pizzeria_pineapple pizzeria_salami pizzeria_tomato tv_bicycle tv_car tv_cyclist tv_train tv_tree"
)
SYLLABLES = _words("arm ball car dog ear fix gas gem hot hut jet key me my no pet saw say sit sky well")


def spoken_by_people() -> set[str]:
    """The words, of two letters or more, of which there are recordings here."""
    pictures = {name.rpartition("_")[2] for name in KTUBERLING}
    return {text for text in (*ASTERISK.values(), *SAYTIME.values(), *pictures, *SYLLABLES) if len(text) > 1}


def load() -> DataSet:
    """A part a speaker: "asterisk", "saytime", "ktuberling", "klettres_us", "klettres_gb"; the targets are texts."""
    allison = find("real_words", SOURCE, "en_US_f_Allison/hello.wav")[0].parent
    clock = find("real_words", SOURCE, "saytime/exactly.au")[0].parent
    pictures = find("real_words", SOURCE, "sounds/en/umbrella.ogg")[0].parent
    letters = {land: find("real_words", SOURCE, f"{land}/syllab/sky.ogg")[0].parents[1] for land in ("en", "en_GB")}
    files: dict[str, dict[Path, str]] = {
        "asterisk": {allison / f"{name}.wav": text for name, text in ASTERISK.items()},
        "saytime": {clock / f"{name}.au": text for name, text in SAYTIME.items()},
        "ktuberling": {pictures / f"{name}.ogg": name.rpartition("_")[2] for name in KTUBERLING},
    }
    for part, land in (("klettres_us", "en"), ("klettres_gb", "en_GB")):
        said = {file: file.stem.lower() for file in sorted((letters[land] / "alpha").glob("*.ogg"))}
        said |= {file: file.stem for file in sorted((letters[land] / "syllab").glob("*.ogg")) if file.stem in SYLLABLES}
        files[part] = said
    return DataSet({part: _examples(part, names) for part, names in files.items()}, rate=RATE)


def _examples(speaker: str, files: dict[Path, str]) -> Examples:
    """Those of the files that are there: a version of a package may lack some, though not most."""
    there = {file: text for file, text in files.items() if file.is_file()}
    if len(there) < 0.8 * len(files):
        raise UsageError(
            f"of {speaker}'s {len(files)} recordings only {len(there)} are there: lanista data get real_words"
        )
    return Examples(read_sounds(list(there), RATE), list(there.values()), [speaker] * len(there))
