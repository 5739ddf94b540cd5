"""What a person presses in a game that is played in real time, and which action that is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lanista.envs.catalogue import make
from lanista.envs.core import Game, GameSpec
from lanista.envs.doors import atari
from lanista.errors import UsageError

# What can be pressed -> what stands on it, and the keys of somebody alone, of the first of two and of the second, by
# the names of a browser's `KeyboardEvent.code`.
KEYS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "up": ("↑", ("ArrowUp", "KeyW"), ("KeyW",), ("ArrowUp",)),
    "down": ("↓", ("ArrowDown", "KeyS"), ("KeyS",), ("ArrowDown",)),
    "forward": ("↑", ("ArrowUp", "KeyW"), ("KeyW",), ("ArrowUp",)),
    "left": ("←", ("ArrowLeft", "KeyA"), ("KeyA",), ("ArrowLeft",)),
    "right": ("→", ("ArrowRight", "KeyD"), ("KeyD",), ("ArrowRight",)),
    "fire": ("Fire", ("Space",), ("Space",), ("Enter",)),
    "use": ("Use", ("Space",), ("Space",), ("Enter",)),
    "take": ("Take", ("KeyE",), ("KeyE",), ("KeyO",)),
    "drop": ("Drop", ("KeyQ",), ("KeyQ",), ("KeyU",)),
    "done": ("Done", ("Enter",), ("KeyF",), ("KeyK",)),
    **{
        str(digit): (str(digit), (f"Digit{digit}", f"Numpad{digit}"), (f"Digit{digit}",), (f"Numpad{digit}",))
        for digit in range(10)
    },
}
# How an Atari 2600 numbers its actions where a game has them all.
CONSOLE = (
    "NOOP", "FIRE", "UP", "RIGHT", "LEFT", "DOWN", "UPRIGHT", "UPLEFT", "DOWNRIGHT", "DOWNLEFT", "UPFIRE", "RIGHTFIRE",
    "LEFTFIRE", "DOWNFIRE", "UPRIGHTFIRE", "UPLEFTFIRE", "DOWNRIGHTFIRE", "DOWNLEFTFIRE",
)  # fmt: skip
PADDLES = ("pong",)  # whose racket goes up and down by a paddle, which the console calls right and left


@dataclass(frozen=True)
class Pad:
    """What can be pressed in a game.

    Attributes:
        buttons: names of `KEYS`; what is held down is a mask with bit `i` for the button `i`.
        actions: mask -> action.
        idle: the action while nothing is pressed; None: none does nothing, so they take turns.
        waits: the game stands still until something is pressed.
        pace: steps a second.
    """

    buttons: tuple[str, ...]
    actions: Mapping[int, int]
    idle: int | None
    waits: bool = False
    pace: float = 30.0

    def action(self, mask: int, last: int) -> int:
        """The action of what is held down: of those whose buttons are all pressed, the one with the most.

        Where several have as many, such as fire and left in a game that knows no fire to the left, they take turns.

        Args:
            mask: what is pressed.
            last: the action before.
        """
        if mask in self.actions:
            return self.actions[mask]
        if not mask and self.idle is not None:
            return self.idle
        fitting = [each for each in self.actions if each & (mask or each) == each]
        most = max((each.bit_count() for each in fitting), default=0)
        ways = [self.actions[each] for each in fitting if each.bit_count() == most] or [last]
        return next((way for way in ways if way != last), ways[0])


def pad_of(game: str, spec: GameSpec, player: int = 0) -> Pad:
    """The pad for a player of a game; one that nobody has described has a digit for each action, and waits."""
    door, _, rest = game.partition(":")
    count = int(getattr(spec.role(player).action, "n", 0))
    if door == "atari":
        return _console_pad(atari.action_names(rest), rest)
    if door == "zoo" and rest.startswith("atari/"):
        rom = re.sub(r"_v\d+$", "", rest.removeprefix("atari/").partition("?")[0])
        names = CONSOLE if count == len(CONSOLE) else _minimal(rom)
        if len(names) == count:
            return _console_pad(names, rom)
    name = rest.partition("?")[0].rpartition("/")[2] if door == "zoo" else rest.partition("?")[0]
    for pattern, known in _KNOWN:
        if re.match(pattern, f"{door}:{name}") and len(known.words) + (known.idle is not None) == count:
            return _described(known)
    digits = [str((number + 1) % 10) for number in range(min(count, 10))]
    return Pad(tuple(digits), {1 << place: place for place in range(len(digits))}, None, waits=True)


def action_names(game: str, spec: GameSpec, player: int = 0) -> list[str]:
    """What the Discrete actions of a player do, in words; of those that nobody has described, their numbers."""
    count = int(getattr(spec.role(player).action, "n", 0))
    names = {action: str(action) for action in range(count)}
    if count:
        pad = pad_of(game, spec, player)
        for mask, action in pad.actions.items():
            held = [button for place, button in enumerate(pad.buttons) if mask >> place & 1]
            if held and not any(each.isdigit() for each in held):
                names[action] = " ".join(held)
        if pad.idle is not None:
            names[pad.idle] = "nothing"
    return list(names.values())


def keys_of(pad: Pad, place: int, people: int) -> list[dict[str, object]]:
    """A pad's buttons for the browser: what stands on each, how it is read out, and its keys.

    Args:
        pad: the pad.
        place: which of the people presses it, from 0.
        people: how many there are at this keyboard.
    """
    column = 1 if people == 1 else 2 + min(place, 1)
    return [{"name": name, "label": KEYS[name][0], "keys": list(KEYS[name][column])} for name in pad.buttons]


def _minimal(rom: str) -> Sequence[str]:
    """The actions of a game with one player; with two it is numbered likewise. None if there is no such game."""
    try:
        return atari.action_names(rom)
    except UsageError:
        return ()


def _console_pad(names: Sequence[str], rest: str) -> Pad:
    """The joystick of an Atari 2600: four ways and a button."""
    buttons = ("up", "down", "left", "right", "fire")

    def mask(name: str) -> int:
        return sum(1 << place for place, button in enumerate(buttons) if button.upper() in name)

    actions = {mask(name): number for number, name in enumerate(names)}
    title = re.sub(r"[^a-z]", "", rest.partition("?")[0].lower().partition("_v")[0].removeprefix("ale/"))
    if title in PADDLES and not any(name.startswith("UPRIGHT") for name in names):
        right, left, fire = 1 << 3, 1 << 2, 1 << 4
        for turned, way in ((1, right), (2, left)):
            for pressed in (0, fire):
                actions[turned | pressed] = actions.pop(way | pressed)
    used = [place for place in range(len(buttons)) if any(each >> place & 1 for each in actions)]
    moved = {
        sum(1 << new for new, old in enumerate(used) if each >> old & 1): number for each, number in actions.items()
    }
    moved.pop(0, None)
    return Pad(tuple(buttons[place] for place in used), moved, names.index("NOOP"), pace=60.0)


@dataclass(frozen=True)
class _Known:
    """How an environment numbers its actions.

    Attributes:
        words: action -> button, without the idle one.
        idle: the action of doing nothing.
    """

    words: Mapping[int, str]
    idle: int | None = None
    waits: bool = False
    pace: float = 30.0


def _described(known: _Known) -> Pad:
    buttons = tuple(known.words.values())
    actions = {1 << place: action for place, action in enumerate(known.words)}
    return Pad(buttons, actions, known.idle, known.waits, known.pace)


_GRID = {0: "left", 1: "right", 2: "forward", 3: "take", 4: "drop", 5: "use", 6: "done"}
_KNOWN: tuple[tuple[str, _Known], ...] = (
    ("gym:CartPole-", _Known({0: "left", 1: "right"})),
    ("gym:MountainCar-", _Known({0: "left", 2: "right"}, idle=1)),
    ("gym:Acrobot-", _Known({0: "left", 2: "right"}, idle=1, pace=15.0)),
    ("gym:LunarLander-", _Known({1: "left", 2: "up", 3: "right"}, idle=0, pace=50.0)),
    ("gym:FrozenLake", _Known({0: "left", 1: "down", 2: "right", 3: "up"}, waits=True)),
    ("gym:CliffWalking", _Known({0: "up", 1: "right", 2: "down", 3: "left"}, waits=True)),
    ("gym:Taxi", _Known({0: "down", 1: "up", 2: "right", 3: "left", 4: "take", 5: "drop"}, waits=True)),
    ("(gym:(MiniGrid|BabyAI)-|babyai:)", _Known(_GRID, waits=True)),
    ("zoo:simple_", _Known({1: "left", 2: "right", 3: "down", 4: "up"}, idle=0, pace=15.0)),
    ("zoo:pistonball", _Known({0: "down", 2: "up"}, idle=1)),
)


def frame_skip(game: str) -> int:
    """How many frames of the screen one action of an agent lasts in this game."""
    door, _, rest = game.partition(":")
    return atari.frame_skip(rest) if door == "atari" else 1


def screen_of(game: str, watched: bool) -> Game:
    """The game whose steps are the frames that people see; it waits for `reset` at an end.

    Args:
        game: the string of the game that agents are trained on.
        watched: an agent plays: from the same seed the screen must go the way of the game that it sees.

    Raises:
        UsageError: no such game.
    """
    door, _, rest = game.partition(":")
    if door != "atari":
        return make(game, restart=False)
    return make(atari.screen(rest), restart=False) if watched else atari.console(rest)


def same_game(one: str, other: str) -> bool:
    """Whether two strings name one game, of Atari or of BabyAI with perhaps other options of how it is shown."""
    plain = [name.partition("?")[0] for name in (one, other)]
    if all(name.startswith("atari:") for name in plain):
        plain = [re.sub(r"[-_ ]", "", name).lower() for name in plain]
    elif not all(name.startswith("babyai:") for name in plain):
        return one == other
    return plain[0] == plain[1]
