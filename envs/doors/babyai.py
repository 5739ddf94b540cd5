"""BabyAI's levels, told in words or by a voice: `babyai:GoToLocal`, `babyai:GoToLocalS5N2?mission=speech&map=pixels`.

Those of MiniGrid in which a mission matters can be had too, as `babyai:GoToDoor-5x5`; `engine=envpool` steps EnvPool's
levels, which are the same in C++. The agent sees the seven cells by
seven before it, as symbols or as pixels, and its mission as tokens, as a sound, both, or not at all. Chevalier-Boisvert
et al. 2019, arXiv:1810.08272.
"""

from __future__ import annotations

import contextlib
import io
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache, partial
from typing import Any, SupportsFloat

import gymnasium
import numpy as np
from gymnasium import spaces

from lanista.cores import usable_cores
from lanista.envs.core import Array, Game
from lanista.envs.doors._instruction_grammar import parsed
from lanista.envs.doors._level_rules import judge, leave_unjudged, own_rules
from lanista.envs.doors._making import DRAWN_COPIES, made, split
from lanista.envs.doors._pools import vector_spec
from lanista.envs.doors._singles import Singles
from lanista.envs.doors._spaces import Translator
from lanista.envs.doors._spoken import PARTS, Speakers
from lanista.envs.doors._vectors import VectorGame
from lanista.envs.instructed import Instruction, Sound, View
from lanista.errors import UsageError, unknown
from lanista.perception.data._instructions import PHRASINGS, VARIED, rephrased
from lanista.perception.inputs.words import MOST_WORDS, UNKNOWN
from lanista.plugs import call, required

MISSIONS, MAPS = ("text", "speech", "both", "none"), ("symbols", "pixels")
ENGINES = ("minigrid", "envpool")
VIEW, PLANES, SYMBOLS = 7, 3, 10  # cells of a side that are seen; object, colour, state; the greatest of them
TILE = 8  # pixels of a cell's side
TEXT, SPEECH, MAP = "mission", "speech", "map"  # modalities
LONGEST = 2000  # characters of a mission
LEVELS, SAME = 256, 64  # levels whose missions are looked at for their words; fewer if so many bring no new one
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Senses:
    """How a level is shown.

    Attributes:
        mission: "text", "speech", "both" or "none", which leaves the agent to guess.
        map: "symbols" (planes, rows, columns) or "pixels", 8 a cell.
        phrasing: of the mission: "usual", BabyAI's own words; "varied"; or "unseen", which varied ones never are.
        speakers: who says the mission; None where nobody does.
        noise: sounds are of different loudness and most have noise in them.
        engine: "minigrid", or "envpool": the levels in C++, many times as fast, whose agents cannot be told otherwise.
    """

    mission: str
    map: str
    phrasing: str
    speakers: Speakers | None
    noise: bool
    engine: str = ENGINES[0]

    @property
    def space(self) -> spaces.Dict:
        """Of what is shown: `map`, `mission` and `speech`, as far as there are these."""
        seen: spaces.Space[Any] = spaces.Box(0, SYMBOLS, (PLANES, VIEW, VIEW), np.uint8)
        if self.map == "pixels":
            seen = spaces.Box(0, 255, (VIEW * TILE, VIEW * TILE, 3), np.uint8)
        shown = {MAP: seen}
        if self.mission in ("text", "both"):
            shown[TEXT] = spaces.Text(LONGEST)
        if self.speakers is not None:
            shown[SPEECH] = self.speakers.space
        return spaces.Dict(shown)

    def tell(self, mission: str, chance: np.random.Generator) -> tuple[str, dict[str, Any]]:
        """A level's mission in the words that are chosen, and what is shown of it: texts and sounds by modality."""
        words = rephrased(mission, self.phrasing, chance)
        told: dict[str, Any] = {TEXT: words} if self.mission in ("text", "both") else {}
        if self.speakers is not None:
            told[SPEECH] = self.speakers.say(words, chance, self.noise)
        return words, told

    def see(self, symbols: Array) -> Array:
        """The map, of the view as MiniGrid observes it, (..., columns, rows, planes)."""
        return drawn(symbols) if self.map == "pixels" else np.moveaxis(symbols, -1, -3)


def senses(
    mission: str = "text",
    map: str = "symbols",
    phrasing: str = "usual",
    voices: str = "train",
    speakers: int = 32,
    noise: bool = True,
    seconds: float = 2.5,
    engine: str = "minigrid",
) -> Senses:
    """The senses that a game's options name.

    Args:
        mission, map, phrasing, noise: see `Senses`.
        voices: synthetic ones of a part: "train", or "valid" and "test", which are never heard in training.
        speakers: how many of them, at most.
        seconds: of a sound; a longer one is cut.
        engine: see `Senses`.

    Raises:
        UsageError: a value is none of those; a synthesiser is not on this machine.
    """
    for what, word, known in (
        ("mission of a level", mission, MISSIONS), ("map of a level", map, MAPS),
        ("phrasing", phrasing, PHRASINGS), ("part of the voices", voices, PARTS), ("engine of levels", engine, ENGINES),
    ):  # fmt: skip
        if word not in known:
            raise unknown(what, word, known)
    heard = Speakers(voices, speakers, seconds) if mission in ("speech", "both") else None
    return Senses(mission, map, phrasing, heard, noise, engine)


def open(rest: str, copies: int, restart: bool) -> Game:
    """Make `copies` of a level.

    Args:
        rest: the level's name, with options after a `?`: those of `senses`.
        copies: how many are played together.
        restart: a finished copy begins anew by itself; else it shows no rows until `reset`.

    Raises:
        UsageError: there is no such level or option, or software that it needs is missing.
    """
    name, options = split(rest, "babyai")
    source = f"babyai:{rest}"
    level = _levels().get(name)
    if level is None:
        raise unknown("BabyAI level", name, _levels())
    chosen: Senses = call(senses, f"the game 'babyai:{name}'", options)
    if chosen.engine == "envpool":
        return _in_envpool(level, chosen, source, copies, restart)
    make = partial(_make, level, chosen, copies <= DRAWN_COPIES)
    env = made(make, source, None)
    translator = Translator(env.observation_space, env.action_space, source)
    env.close()  # type: ignore[no-untyped-call]
    spec = vector_spec(source, translator.role, None, "a level with a mission", levels=True, instructed=True)
    singles = partial(Singles, make, translator)
    spec = replace(spec, static=_told(translator))
    return VectorGame(spec, singles, copies, restart, translator.filler, singles, singles)


def _in_envpool(level: str, chosen: Senses, source: str, copies: int, restart: bool) -> Game:
    """The same level as EnvPool has it; its levels cannot be chosen."""
    from lanista.envs.doors import envpool
    from lanista.envs.doors._told_levels import ToldLevels

    known = envpool.ids()
    if level not in known:
        raise unknown("level of EnvPool", level, [name for name in known if name.startswith(("BabyAI-", "MiniGrid-"))])
    make = partial(envpool.make_env, level, {"num_threads": usable_cores()})
    env = made(lambda: make([1]), source, None)
    translator = Translator(chosen.space, env.action_space, source)
    env.close()
    spec = replace(vector_spec(source, translator.role, None, "a level with a mission"), static=_told(translator))
    return VectorGame(spec, partial(ToldLevels, make, chosen, translator), copies, restart, translator.filler)


def _told(translator: Translator) -> frozenset[str]:
    """The modalities that stay the same for a whole game."""
    return frozenset({TEXT, SPEECH} & set(translator.role.observation.spaces))


def ids() -> list[str]:
    """What can follow `babyai:`."""
    return list(_levels())


def _levels() -> dict[str, str]:
    """Names of levels -> MiniGrid's ids; those of its own levels whose mission says what is wanted among them."""
    required("minigrid", "minigrid", "the door babyai")
    if not any(name.startswith("BabyAI-") for name in gymnasium.registry):
        import minigrid

        gymnasium.register_envs(minigrid)
    known: dict[str, str] = {}
    for name in gymnasium.registry:
        family, _, rest = name.rpartition("-v")[0].partition("-")
        if family == "BabyAI" or (family == "MiniGrid" and rest.startswith(("GoTo", "Fetch", "PutNear"))):
            known.setdefault(rest, name)
    return known


def _make(level: str, chosen: Senses, drawn: bool) -> Instructed:
    words: dict[str, Any] = {"render_mode": "rgb_array"} if drawn else {}
    environment = gymnasium.make(level, disable_env_checker=True, **words)
    return Instructed(environment, chosen)


@cache
def _tiles() -> Array:
    """How MiniGrid draws each object in each colour and state: (objects, colours, states, 2, TILE, TILE, 3).

    The last but three is 1 where the agent, facing up, stands on it, or carries it.
    """
    from minigrid.core.constants import COLOR_TO_IDX, OBJECT_TO_IDX, STATE_TO_IDX
    from minigrid.core.grid import Grid
    from minigrid.core.world_object import WorldObj

    tiles = np.zeros((len(OBJECT_TO_IDX), len(COLOR_TO_IDX), len(STATE_TO_IDX), 2, TILE, TILE, 3), np.uint8)
    for symbol in np.ndindex(tiles.shape[:3]):
        thing = WorldObj.decode(*symbol)
        for on, facing in enumerate((None, 3)):
            tiles[(*symbol, on)] = Grid.render_tile(thing, facing, symbol[0] != OBJECT_TO_IDX["unseen"], TILE)
    return tiles


def drawn(symbols: Array) -> Array:
    """MiniGrid's own picture of what an agent sees, of tiles that are drawn once: a game steps 2.8 times as fast so.

    Args:
        symbols: (..., columns, rows, planes) of views, as MiniGrid observes them.

    Returns:
        (..., 56, 56, 3) bytes.
    """
    here = np.zeros((VIEW, VIEW), np.intp)
    here[VIEW // 2, VIEW - 1] = 1
    cells = _tiles()[symbols[..., 0], symbols[..., 1], symbols[..., 2], here]
    rows = cells.swapaxes(-5, -4).swapaxes(-4, -3)  # (..., rows, TILE, columns, TILE, 3)
    return rows.reshape(*symbols.shape[:-3], VIEW * TILE, VIEW * TILE, 3)


@lru_cache(maxsize=64)
def language(level: str, phrasing: str) -> frozenset[str]:
    """The words, in small letters, that the missions of a level have: those that an agent learns there.

    Args:
        level: MiniGrid's id.
        phrasing: "varied" adds the other words of what is said; of "unseen" ones nobody learns.
    """
    environment = gymnasium.make(level, disable_env_checker=True)
    words: set[str] = set()
    since = 0
    for seed in range(LEVELS):
        with contextlib.redirect_stdout(io.StringIO()):
            mission = str(environment.reset(seed=seed)[0]["mission"])
        said = [mission, *(" ".join(VARIED[key]) for key in VARIED if phrasing == "varied" and key in mission)]
        new = set(re.findall(r"\w+", " ".join(said).lower())) - words
        words |= new
        since = 0 if new else since + 1
        if since == SAME:
            break
    environment.close()  # type: ignore[no-untyped-call]
    return frozenset(words)


class Instructed(gymnasium.Wrapper[Any, Any, Any, Any]):
    """A level as `Senses` show it: the space is a Dict of `map`, `mission` and `speech`, as far as there are these."""

    def __init__(self, env: gymnasium.Env[Any, Any], chosen: Senses) -> None:
        """Wrap one of MiniGrid's environments."""
        super().__init__(env)
        self._senses = chosen
        self._chance = np.random.default_rng()
        self._told: dict[str, Any] = {}
        self._first: tuple[dict[str, Any], Instruction] = {}, Instruction("")  # what the level itself tells
        self._own_rules = own_rules(env.unwrapped)
        self._warned: set[str] = set()
        self.instruction = Instruction("")
        self.observation_space = chosen.space

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin a game; the voice, the words and the noise are drawn from the seed too, and change no level."""
        if seed is not None:
            self._chance = np.random.default_rng([seed, 1])
        with contextlib.redirect_stdout(io.StringIO()):  # BabyAI prints what it tried in vain to place
            observation, info = self.env.reset(seed=seed, options=options)
        words, self._told = self._senses.tell(observation["mission"], self._chance)
        self._own_rules = own_rules(self.env.unwrapped)
        self.instruction = self._instruction(words, True, True, (), ())
        self._first = self._told, self.instruction
        return self._shown(observation), {**info, "mission": words}

    def instruct(self, words: str | None, sound: Sound | None = None) -> dict[str, Any]:
        """Tell something else from now on, which the level's rules judge as far as they can; see `envs.instructed`.

        Returns:
            What is seen now.

        Raises:
            UsageError: see `envs.instructed`; all is as it was.
        """
        level: Any = self.env.unwrapped
        if words is None:
            self._told, self.instruction = self._first
            self._own_rules()
            level.step_count = 0
            return self._now()
        words, judged = " ".join(words.split()), True
        told, strange, remarks = self._tell(words, sound)
        self._own_rules()
        try:
            if not words:
                raise UsageError("what was said was not understood")
            judge(level, parsed(words))
        except UsageError as error:
            leave_unjudged(level)
            judged = False
            remarks.insert(0, f"Nobody judges whether this is done: {error}")
        self._told = told
        self.instruction = self._instruction(words, False, judged, strange, tuple(remarks))
        return self._now()

    def view(self) -> View:
        """Where in the level the cells lie that the agent sees."""
        level: Any = self.env.unwrapped
        across, ahead = np.meshgrid(np.arange(VIEW) - VIEW // 2, VIEW - 1 - np.arange(VIEW), indexing="ij")
        place = level.agent_pos + ahead[..., None] * level.dir_vec + across[..., None] * level.right_vec
        places = place[..., ::-1]  # (column of the view, row, 2), as symbols are shown
        if self._senses.map == "pixels":
            places = places.transpose(1, 0, 2)
        return View(np.ascontiguousarray(places, np.int64), (level.height, level.width))

    def _tell(self, words: str, sound: Sound | None) -> tuple[dict[str, Any], tuple[str, ...], list[str]]:
        """What the agent is shown of an instruction, the words it does not know, and remarks."""
        speakers, shown = self._senses.speakers, self.observation_space.spaces  # type: ignore[attr-defined]
        if len(words) > LONGEST:
            raise UsageError(f"an instruction has at most {LONGEST:,} characters, not {len(words):,}")
        if not re.search(r"\w", words) and sound is None:
            raise UsageError("an instruction has words, such as 'go to the red ball'")
        told: dict[str, Any] = {}
        known = language(self.env.spec.id, self._senses.phrasing)  # type: ignore[union-attr]
        found = re.findall(r"\w+", words)
        strange = tuple(dict.fromkeys(word for word in found if word.lower() not in known))
        remarks: list[str] = []
        if TEXT in shown:
            if not found:
                raise UsageError("this agent reads what it is told, and the words that were said are not known")
            told[TEXT] = re.sub(r"\w+", lambda word: word[0] if word[0].lower() in known else UNKNOWN, words)
            if len(found) > MOST_WORDS:
                remarks.append(f"Of its {len(found)} words the agent reads the first {MOST_WORDS}")
        if speakers is not None and sound is not None:
            told[SPEECH], remarks_of_sound = speakers.hear(sound)
            remarks += remarks_of_sound
        elif speakers is not None:
            told[SPEECH], lasts = speakers.say_once(words, self._chance)
            if lasts > speakers.seconds:
                remarks.append(f"It takes {lasts:.1f} seconds to say, and the agent hears {speakers.seconds:g} of them")
        if not told:
            remarks.append("The agent of this game is told nothing: it does what it guesses")
        new = [word for word in strange if word not in self._warned]
        if new:
            self._warned |= set(new)
            log.warning("no mission of %s has the words %s", self.env.spec.id, ", ".join(new)[:200])  # type: ignore[union-attr]
        return told, strange, remarks

    def _instruction(
        self, words: str, own: bool, judged: bool, strange: tuple[str, ...], remarks: tuple[str, ...]
    ) -> Instruction:
        heard = self._told.get(SPEECH)
        rate = 0 if self._senses.speakers is None else self._senses.speakers.rate
        return Instruction(words, own, judged, strange, remarks, heard, rate)

    def _now(self) -> dict[str, Any]:
        """What is seen without a step."""
        return self._shown(self.env.unwrapped.gen_obs())  # type: ignore[attr-defined]

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """A step of the level."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        return self._shown(observation), reward, terminated, truncated, info

    def _shown(self, observation: Mapping[str, Any]) -> dict[str, Any]:
        return {MAP: self._senses.see(observation["image"]), **self._told}
