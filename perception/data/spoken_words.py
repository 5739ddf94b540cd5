"""Words said by synthetic voices: numbers, days, months, the phonetic alphabet, words of commands and of games.

They are words of which recordings of real people exist (`real_words`), so that what learnt from these voices can be
tested on people.
"""

from __future__ import annotations

from lanista.perception.data._cast import ENGINES, RATE
from lanista.perception.data._parts_said import parts_said
from lanista.perception.data.real_words import DAYS, MONTHS, NUMBERS, PHONETIC
from lanista.perception.dataset import DataSet, Source

SOURCE = Source(
    modality="sound",
    licence="made here by free programs; their voices' licences leave what they say free",
    extra="perception",
    needs=ENGINES,
)
COMMANDS = (
    "hundred thousand million billion plus minus slash space star hello goodbye yesterday today tomorrow hours minutes "
    "seconds number"
)
# No "tree": in the accent en-029 of the tests "three" is said alike.
THINGS = (
    "alien astronaut ball bicycle bridge camel car cheese cucumber dog donkey flower key monster mushroom onion "
    "pineapple planet pyramid rocket satellite tomato train umbrella"
)
WORDS = tuple(dict.fromkeys([*NUMBERS.values(), *DAYS, *MONTHS, *PHONETIC, *COMMANDS.split(), *THINGS.split()]))


def load(most: int = 0) -> DataSet:
    """Every voice says every word. Parts "train", "valid" and "test" share no voice; the targets are texts.

    Args:
        most: voices in each part, at most; 0 for all.
    """
    parts = parts_said("spoken_words", lambda _, voices: [WORDS] * voices, most)
    return DataSet(parts, WORDS, RATE)
