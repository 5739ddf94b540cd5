"""Who can be met at the page, and what can be played: lists that the server makes. A browser chooses from them.

What is typed in a browser is taken only if it is a built-in search with its options, or one of the listed agents with
options of how it plays; nothing that names a path, a program or another machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from lanista.agents.contestant import DESCRIPTION, SHIPPED, agent_folder, load_agent, shipped
from lanista.agents.processes import find_program
from lanista.arena.play.table import check_game
from lanista.envs.catalogue import door_ids, doors, games
from lanista.envs.core import GameSpec
from lanista.errors import UsageError
from lanista.files import read_json
from lanista.plugs import parse_options

BUILT_IN = ("random", "first-legal", "minimax", "mcts")  # strings of these may come from a browser
MOST_NUMBER, MOST_STEPS = 100, 1_000_000  # in an option of a door's game that a browser names
PLAIN_WORD = re.compile(r"[A-Za-z][A-Za-z_]{0,31}")
OF_PLAY = ("temperature", "symmetry", "simulations", "c_puct", "leaves")  # options of a trained agent that may, too
MOST_RUNS = 200
MOST_DEPTH, MOST_SIMULATIONS, MOST_MILLISECONDS, MOST_NODES, MOST_TABLE = 12, 20_000, 20_000, 10**7, 256
VARIANTS = {  # boards of other sizes that people play
    "go": ("go:size=9", "go:size=13", "go"),
    "hex": ("hex:size=7", "hex", "hex:size=11,swap=true", "hex:size=13"),
    "mnk": ("mnk", "mnk:rows=4,columns=4,k=4", "mnk:rows=8,columns=9,k=5,gravity=true"),
    "breakthrough": ("breakthrough", "breakthrough:rows=6,columns=6"),
    "kuhn_poker": ("kuhn_poker", "kuhn_poker:players=3"),
    "leduc_poker": ("leduc_poker", "leduc_poker:players=3"),
    "liars_dice": ("liars_dice", "liars_dice:dice=2", "liars_dice:dice=5"),
}
TITLES = {"connect_four": "Connect Four", "mnk": "m,n,k", "tictactoe": "Tic-tac-toe", "liars_dice": "Liar's dice"}
FAVOURITES = ("connect_four", "chess", "go", "othello", "hex", "tictactoe", "gomoku", "breakthrough")  # shown first


@dataclass(frozen=True)
class Strength:
    """A way that an opponent can play: what it is called, and the contestant's string."""

    label: str
    contestant: str


@dataclass(frozen=True)
class Opponent:
    """Somebody to play against.

    Attributes:
        title: for people.
        about: in a few words.
        strengths: how it can play, the usual one first.
    """

    title: str
    about: str
    strengths: tuple[Strength, ...]


def game_title(name: str) -> str:
    """A game's name for people: `connect_four` is "Connect four", `go:size=9` is "Go, size 9"."""
    file, _, options = name.partition(":")
    title = TITLES.get(file, file.replace("_", " ").capitalize())
    if file in doors():
        return name
    words = [
        part.replace("=", " ").replace(" true", "") for part in options.split(",") if part and "=false" not in part
    ]
    if file == "mnk" and (found := re.search(r"rows=(\d+),columns=(\d+),k=(\d+)", options)):
        words = [
            f"{found[3]} in a row on {found[1]} x {found[2]}",
            *(["stones fall"] if "gravity=true" in options else []),
        ]
    return ", ".join([title, *words])


@dataclass
class Roster:
    """The lists of one server.

    Attributes:
        listed: contestants' strings that were given when the server began; they may be anything.
        games_listed: games' strings that were given so.
        runs: the folder of the user's runs.
    """

    listed: tuple[str, ...] = ()
    games_listed: tuple[str, ...] = ()
    runs: Path = Path("runs")
    _known: dict[str, tuple[Opponent, ...]] = field(default_factory=dict)

    def games(self) -> list[str]:
        """The games to choose from: what the server was given, and the native ones, well-known ones first."""
        native = [name for name in games() if not name.startswith("_")]
        ordered = sorted(native, key=lambda name: (FAVOURITES.index(name) if name in FAVOURITES else 99, name))
        return list(dict.fromkeys([*self.games_listed, *ordered]))

    def check_game(self, text: str) -> GameSpec:
        """The spec of a game that a browser names.

        Raises:
            UsageError: there is none, it is not played by hand, or it would load what the server did not list.
        """
        return check_game(self.check_game_name(text))

    def check_game_name(self, text: str) -> str:
        """The game's string that a browser names, which no game need have: a native one, or one of a door's own.

        Raises:
            UsageError: it would load what the server did not list.
        """
        name = text.strip()
        if len(name) > 200 or not name.isprintable():
            raise UsageError("a game's name is shorter")
        head, colon, rest = name.partition(":")
        if colon and head in doors() and name not in self.games_listed:
            plain = re.split(r"[(,?]", rest)[0]
            if plain not in _ids(head):  # such as gym's "module:Name", which would import a module
                raise UsageError(f"'{plain}' is none of the games behind the door {head}: see lanista games {head}:")
            _check_door_options(rest[len(plain) :])
        return name

    def opponents(self, game: str, spec: GameSpec) -> tuple[Opponent, ...]:
        """Who plays a game, the strongest kinds first; runs that have come since are among them."""
        if game not in self._known:
            self._known[game] = tuple(self._fixed(game, spec))
        trained = [_trained(name, "one of your runs", spec) for name in self._runs_for(spec)]
        return (*self._known[game][:1], *trained, *self._known[game][1:])

    def _fixed(self, game: str, spec: GameSpec) -> Iterable[Opponent]:
        file = spec.name.partition(":")[0]
        for name in self.listed:
            yield Opponent(name, "named when this server began", (Strength("as given", name),))
        if file in shipped() and _plays(file, spec):
            yield _trained(file, "trained by self-play, comes with Lanista", spec)
        if spec.perfect_information and spec.players == 2 and spec.kind == "turn-based" and game in _natives(game):
            depths = [Strength(f"looks {depth} plies ahead", f"minimax:depth={depth}") for depth in (4, 2, 6, 1, 3, 5)]
            yield Opponent("Minimax", "exact search, knows only the rules", tuple(depths))
            tries = [Strength(f"{count} playouts", f"mcts:simulations={count}") for count in (800, 50, 200, 3000)]
            yield Opponent("Monte Carlo tree search", "tries moves out by playing on at random", tuple(tries))
        yield from _engines(file, spec)
        if spec.players > 1 or not spec.perfect_information:
            yield Opponent("Random", "any legal move", (Strength("random", "random"),))

    def _runs_for(self, spec: GameSpec) -> list[str]:
        """The runs that train on a game, as contestants' strings, those that wrote last first."""
        if not self.runs.is_dir():
            return []
        found = []
        for folder in sorted(self.runs.iterdir())[:MOST_RUNS]:
            agent = agent_folder(folder)
            try:
                if agent is not None and read_json(agent / DESCRIPTION, "an agent").get("game") == spec.name:
                    found.append((-(agent / "model.safetensors").stat().st_mtime, folder.as_posix()))
            except (UsageError, OSError):
                continue  # a run that is being written, or is damaged
        return [name for _, name in sorted(found)]

    def checkpoint(self, text: str, spec: GameSpec) -> Opponent | None:
        """One checkpoint of a run as an opponent, by its contestant's string `RUNS/NAME/checkpoints/STEPS`.

        Returns:
            None if no run below the folder of runs has it, or it is of another game.
        """
        head, middle, steps = text.rpartition("/checkpoints/")
        if not (middle and steps.isascii() and steps.isdecimal()) or not self.runs.is_dir():
            return None
        folder = next((each for each in self.runs.iterdir() if each.as_posix() == head), None)  # listed, never made
        if folder is None or agent_folder(folder / "checkpoints" / steps) is None:
            return None
        try:
            if read_json(folder / "checkpoints" / steps / DESCRIPTION, "an agent").get("game") != spec.name:
                return None
        except UsageError:
            return None
        found = _trained(f"{head}/checkpoints/{steps}", f"one of your runs, after {int(steps):,} steps", spec)
        return replace(found, title=f"{folder.name}, checkpoint {steps}")

    def check_contestant(self, text: str, game: str, spec: GameSpec) -> str:
        """The contestant's string that a browser names, if it may.

        Raises:
            UsageError: it is not listed and no built-in search, or its effort is beyond what a server can give.
        """
        name = text.strip()
        if len(name) > 300 or not name.isprintable():
            raise UsageError("a player's name is shorter")
        if name in self.listed:
            return name
        for opponent in self.opponents(game, spec):
            for strength in opponent.strengths:
                if name == strength.contestant:
                    return name
                # Options of how a listed agent plays do not name anything outside.
                head, mark, options = name.partition("?")
                if mark and head == strength.contestant.partition("?")[0] and ":" not in head:
                    _check_options(parse_options(options, name), OF_PLAY, name)
                    return name
        if (one := self.checkpoint(name.partition("?")[0], spec)) is not None:
            _check_options(parse_options(name.partition("?")[2], name), OF_PLAY, name)
            return name if "?" in name else one.strengths[0].contestant
        kind, mark, options = re.match(r"([\w-]*)([:?]?)(.*)", name).groups()  # type: ignore[union-attr]
        if kind in BUILT_IN:
            _check_options(parse_options(options, name) if mark else {}, None, name)
            load_agent(name)  # which says what is wrong with its options
            return name
        raise UsageError(
            f"'{name[:60]}' is not among this server's players; write a search, such as minimax:depth=4, or begin the "
            "server with: lanista play --against NAME"
        )


def _check_options(options: Mapping[str, object], known: Sequence[str] | None, name: str) -> None:
    bounds = {
        "depth": MOST_DEPTH, "simulations": MOST_SIMULATIONS, "milliseconds": MOST_MILLISECONDS, "nodes": MOST_NODES,
        "table": MOST_TABLE, "leaves": 256,
    }  # fmt: skip
    for key, value in options.items():
        if known is not None and key not in known:
            raise UsageError(f"'{name}': {key} is no option of how a trained agent plays: {', '.join(known)}")
        if key in bounds and isinstance(value, int | float) and value > bounds[key]:
            raise UsageError(f"'{name}': here {key} is at most {bounds[key]}")


def _trained(name: str, about: str, spec: GameSpec) -> Opponent:
    """A trained agent with its ways to play."""
    strengths = [Strength("its best move", name)]
    if spec.players > 1 and not spec.perfect_information:
        strengths = [Strength("plays its policy", name), Strength("always the likeliest", f"{name}?temperature=0")]
    else:
        strengths += [Strength(f"{word} (temperature {t:g})", f"{name}?temperature={t:g}")
                      for word, t in (("varied", 0.5), ("loose", 1.0))]  # fmt: skip
        if spec.players == 2 and spec.perfect_information and spec.name.partition(":")[0] in games():
            strengths += [Strength(f"thinks ahead, {n} simulations", f"{name}?simulations={n}") for n in (50, 200, 800)]
    title = name.rpartition("/")[2] if "/" in name else "Lanista"
    return Opponent(title, about, tuple(strengths))


def _engines(file: str, spec: GameSpec) -> Iterable[Opponent]:
    """Engines that are installed."""
    if file == "chess":
        for program, title in (
            ("stockfish", "Stockfish"),
            ("fairy-stockfish", "Fairy-Stockfish"),
            ("gnuchess", "GNU Chess"),
        ):
            if find_program(program) is None:
                continue
            levels = [Strength("100 ms a move", f"uci:{program}?milliseconds=100")]
            levels.append(Strength("depth 1", f"uci:{program}?depth=1"))
            if "stockfish" in program:
                levels[:0] = [
                    Strength(f"skill {level} of 20", f"uci:{program}?milliseconds=50&Skill Level={level}")
                    for level in (3, 0, 8, 14)
                ]
            yield Opponent(title, "a chess engine on this machine", tuple(levels))
    if file == "go" and find_program("gnugo") is not None:
        levels = [Strength(f"level {level}", f"gtp:gnugo --level {level}") for level in (5, 1, 10)]
        yield Opponent("GNU Go", "a Go program on this machine", tuple(levels))


def _plays(contestant: str, spec: GameSpec) -> bool:
    """Whether the agent that comes with Lanista is for this size of board; without loading it, which takes seconds."""
    return bool(read_json(SHIPPED / contestant / DESCRIPTION, "an agent").get("game") == spec.name)


def _natives(game: str) -> tuple[str, ...]:
    return (game,) if game.partition(":")[0] in games() else ()


@lru_cache(maxsize=8)
def _ids(door: str) -> frozenset[str]:
    return frozenset(door_ids(door))


def variants(game: str) -> tuple[str, ...]:
    """A game and its other boards."""
    return VARIANTS.get(game, (game,))


def _check_door_options(text: str) -> None:
    """Refuse options of a door's game that a browser may not choose: they reach other people's code as they are.

    Raises:
        UsageError: one is no number within bounds and no plain word, or it names a file, a folder or a window.
    """
    for part in filter(None, re.split(r"[?&(),]", text)):
        key, _, value = (word.strip() for word in part.partition("="))
        number = re.fullmatch(r"-?\d{1,9}(?:\.\d{1,9})?", value)
        most = MOST_STEPS if re.search("steps|frames|longest", key) else MOST_NUMBER
        named = re.search("path|file|dir|folder|render|url", key)
        if named or not (0 <= float(value) <= most if number else PLAIN_WORD.fullmatch(value)):
            raise UsageError(f"the page takes numbers from 0 to {most:,} and plain words as options, not '{part[:60]}'")
