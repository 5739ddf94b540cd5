"""What people say to a smart home, by what they want: templates of Home Assistant, 42 intents, filled at random.

The templates are written by the contributors of home-assistant-intents in 65 languages, for the parser hassil; the
sentences are drawn from them here, with the names of rooms, devices and things that such a home would have.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lanista.errors import UsageError
from lanista.perception.dataset import DataSet, Examples, Source, find
from lanista.plugs import required

if TYPE_CHECKING:
    from hassil.expression import Expression

SOURCE = Source(
    modality="text",
    licence="Apache-2.0",
    packages=("pypi:home-assistant-intents==2026.10.27",),
    extra="perception",
    megabytes=1,
)
MOST_DEPTH = 30  # of rules in rules
LISTS = {  # what a template leaves to the home or to the speaker; English
    "area": "kitchen|living room|bedroom|bathroom|garage|office|hallway|guest room|attic|basement|garden|nursery|porch",
    "floor": "first|second|ground|upper|lower|top|main",
    "name": "ceiling lamp|desk fan|front door|heater|thermostat|tv|robot|roomba|speaker|coffee machine|window|porch "
    "light|movie night|bedside lamp|groceries|chores|gate|washing machine|anna|outlet|radio|gym|christmas tree",
    "message": "dinner is ready|the movie starts now|time to go to bed|we are leaving in five minutes|the post is here",
    "search_query": "queen|the beatles|hotel california|relaxing piano|star wars|daily news|thriller|rainy day jazz",
    "zone": "work|home|school|the airport|grandma's house",
    "timer_name": "pizza|laundry|egg|tea|workout|homework|chicken|parking",
    "timer_command": "turn off the lights|open the garage door|close the blinds|turn on the heater|stop the music",
    "shopping_list_item": "milk|apples|a loaf of bread|batteries|cheese|toilet paper|two lemons|coffee beans",
    "todo_list_item": "call mom|wash the car|pay the rent|water the plants|buy stamps|fix the fence|book a flight",
}


def load(language: str = "en", sentences: int = 15, seed: int = 0) -> DataSet:
    """Part "all": sentences with their intents; groups are the templates.

    A sentence that two intents share (which one is meant, the home's state decides) is left out.

    Args:
        language: of the templates, as "en" or "de"; rooms and things keep their English names.
        sentences: the most drawn from a template.
        seed: of the draws.
    """
    required("hassil", "perception", "the data set 'intents'")
    path = find("intents", SOURCE, "home_assistant_intents/data/en.json")[0].with_name(f"{language}.json")
    about = _read(path, language)
    drawn: dict[str, tuple[str, str]] = {}
    shared = set()
    sampler = Sampler(about, random.Random(seed))
    for intent, entry in sorted(about["intents"].items()):
        for template in sorted({text for block in entry["data"] for text in block["sentences"]}):
            for text in sampler.draw(template, sentences):
                if drawn.setdefault(text, (intent, template))[0] != intent:
                    shared.add(text)
    rows = [(text, *where) for text, where in drawn.items() if text not in shared]
    labels = sorted({intent for _, intent, _ in rows})
    index = {label: place for place, label in enumerate(labels)}
    targets = np.array([index[intent] for _, intent, _ in rows], np.int64)
    whole = Examples([text for text, _, _ in rows], targets, [f"{intent}: {template}" for _, intent, template in rows])
    return DataSet({"all": whole}, [label.removeprefix("Hass") for label in labels])


def _read(path: Path, language: str) -> Any:
    try:
        about = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        known = ", ".join(sorted(file.stem for file in path.parent.glob("*.json")))
        raise UsageError(f"the data set 'intents' has no language '{language}'; it has {known}") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is damaged ({error}): lanista data get intents") from None
    if not isinstance(about, dict) or not {"intents", "lists", "expansion_rules"} <= about.keys():
        raise UsageError(f"{path} is damaged: it lacks intents, lists or rules. lanista data get intents")
    return about


class Sampler:
    """Draws sentences from templates of hassil."""

    def __init__(self, about: Any, draws: random.Random) -> None:
        """Read a language's file.

        Args:
            about: what it holds: "lists", "expansion_rules".
            draws: all chance comes from it.
        """
        from hassil.parse_expression import parse_sentence

        self.draws = draws
        self.rules = {name: parse_sentence(body).expression for name, body in about["expansion_rules"].items()}
        self.lists: dict[str, list[Expression] | range] = {
            name: [parse_sentence(text).expression for text in words.split("|")] for name, words in LISTS.items()
        }
        for name, entry in about["lists"].items():
            if "values" in entry:
                values = [value["in"] if isinstance(value, dict) else value for value in entry["values"]]
                self.lists[name] = [parse_sentence(str(value)).expression for value in values]
            elif "range" in entry:
                bounds = entry["range"]
                self.lists[name] = range(bounds["from"], bounds["to"] + 1, bounds.get("step", 1))

    def draw(self, template: str, most: int) -> list[str]:
        """At most `most` different sentences, in the order in which they were drawn."""
        from hassil.parse_expression import parse_sentence

        expression = parse_sentence(template).expression
        found: dict[str, None] = {}
        for _ in range(3 * most):
            found.setdefault(" ".join(self._one(expression).split()))
            if len(found) == most:
                break
        return [text for text in found if text]

    def _one(self, part: Expression, depth: int = 0) -> str:
        """A sentence of an expression."""
        from hassil.expression import Alternative, Group, ListReference, Permutation, RuleReference, TextChunk

        if isinstance(part, TextChunk):
            return part.original_text
        if depth > MOST_DEPTH:
            raise UsageError("the templates of the data set 'intents' are damaged: their rules never end")
        if isinstance(part, Alternative):
            return self._one(self.draws.choice(part.items), depth + 1)
        if isinstance(part, Group):
            items = list(part.items)
            if isinstance(part, Permutation):
                self.draws.shuffle(items)
            return (" " if isinstance(part, Permutation) else "").join(self._one(item, depth + 1) for item in items)
        if isinstance(part, RuleReference):
            return self._one(self.rules[part.rule_name], depth + 1)
        assert isinstance(part, ListReference)
        inline = part.get_inline_range()
        values = range(inline[0], inline[1] + 1, inline[2]) if inline else self.lists[part.list_name]
        if isinstance(values, range):
            return str(self.draws.choice(values))
        return self._one(self.draws.choice(values), depth + 1)
