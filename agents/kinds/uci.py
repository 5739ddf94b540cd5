"""`uci:stockfish?nodes=1000`: a chess engine that speaks UCI, in its own process.

After the program, with its words if it needs any, come Lanista's limits (`nodes`, `depth`, `milliseconds`, `seconds`
in which a move must be there, `processes` that play at a time) and the engine's own options, as in
`uci:stockfish?depth=6&Skill Level=3&Hash=4`. It is told the moves of the game each time, and to forget the game before.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lanista.agents.engine import STARTING, EngineAgent, Limits, check_options, parse_engine
from lanista.agents.line_process import Dialogue, LineProcess
from lanista.agents.processes import ProcessError
from lanista.agents.told_games import ToldGame, ToldGames
from lanista.envs.catalogue import games, native_rules
from lanista.envs.core import GameSpec, Turn
from lanista.errors import UsageError
from lanista.plugs import Value

ARGUMENTS = {"gnuchess": ("--uci",)}  # what a program must be told to speak UCI
PAWNS = 400.0  # centipawns that make the odds ten to one, as in Elo's formula


@dataclass(frozen=True)
class UciLimits(Limits):
    """And what UCI's `go` takes."""

    nodes: int = 0
    depth: int = 0


def make(program: str, nodes: int = 0, depth: int = 0, milliseconds: int = 100, seconds: float = 30.0) -> UciAgent:
    """An engine by its program; `read` takes all that a contestant's string can say."""
    thinking = milliseconds if not (nodes or depth) else 0
    return read(f"{program}?nodes={nodes}&depth={depth}&milliseconds={thinking}&seconds={seconds}", f"uci:{program}")


def read(written: str, source: str) -> UciAgent:
    """The engine of a contestant's string.

    Args:
        written: it, without `uci:`.
        source: all of it.

    Raises:
        UsageError: the program is not installed, a limit is wrong.
    """
    command, limits, options = parse_engine(written, source, UciLimits)
    assert isinstance(limits, UciLimits)
    if len(command) == 1:
        command = command + ARGUMENTS.get(Path(command[0]).name, ())
    return UciAgent(source, command, limits, options)


class UciAgent(EngineAgent):
    """Plays what a UCI engine answers. See `agents.engine.EngineAgent`."""

    protocol = "uci"

    def __init__(
        self, name: str, command: Sequence[str], limits: UciLimits, options: Mapping[str, Value] | None = None
    ) -> None:
        """Know the engine.

        Args:
            name: what it is called.
            command: the program's path and its words.
            limits: how long it thinks; without nodes, depth or milliseconds, 100 milliseconds.
            options: its own options, by name.
        """
        super().__init__(name, command, limits)
        self.options = dict(options or {})
        parts = [("nodes", limits.nodes), ("depth", limits.depth), ("movetime", limits.milliseconds)]
        self._go = "go" + "".join(f" {word} {number}" for word, number in parts if number)
        if self._go == "go":
            self._go = "go movetime 100"

    def _games(self, spec: GameSpec) -> ToldGames:
        if spec.name.partition(":")[0] in games():
            rules = native_rules(spec.name)
            if rules.print_engine_move is not None:
                return ToldGames(rules, rules.print_engine_move)
        raise UsageError(f"{self.name} plays chess; it cannot play {spec.name}")

    def _set_up(self, process: LineProcess) -> Dialogue[None]:
        process.send("uci", seconds=STARTING, what="'uciok'")
        known: dict[str, str] = {}
        while (line := (yield)).strip() != "uciok":
            words = line.split()
            if words[:2] == ["option", "name"] and "type" in words:
                option = " ".join(words[2 : words.index("type")])
                known[option.lower()] = option
        check_options(self.name, self.options, known, self.limits)
        settings = {known[key.lower()]: value for key, value in self.options.items()}
        if "uci_showwdl" in known:
            settings.setdefault(known["uci_showwdl"], True)
        commands = [
            f"setoption name {key}" + (f" value {_written(value)}" if value != "" else "")
            for key, value in settings.items()
        ]
        process.send(*commands, "isready", seconds=STARTING, what="'readyok'")
        while (yield).strip() != "readyok":
            pass

    def _move(self, process: LineProcess, told: ToldGame, turn: Turn, row: int) -> Dialogue[tuple[str, float]]:
        position = "position startpos" if told.begin is None else f"position fen {told.begin}"
        if told.words:
            position += " moves " + " ".join(told.words)
        # In one go: an engine reads its lines in order, and 'readyok' in its answer is passed over.
        process.send("ucinewgame", "isready", position, self._go, seconds=self.limits.seconds, what="move")
        value = math.nan
        while True:
            line = yield
            if line.startswith("info "):
                told_value = value_of(line)
                value = value if told_value is None else told_value
            elif line.startswith("bestmove"):
                words = line.split()
                if len(words) < 2:
                    raise ProcessError("answered 'bestmove' without a move")
                return words[1], value


def value_of(info: str) -> float | None:
    """The return from -1 to 1 that an `info` line expects for the player to move; None if it tells none.

    It is what win, draw and loss make, where the engine tells them, and else by Elo's formula from its centipawns.
    """
    words = info.split()
    try:
        if "wdl" in words:
            at = words.index("wdl")
            win, _, loss = (int(word) for word in words[at + 1 : at + 4])
            return max(-1.0, min(1.0, (win - loss) / 1000))
        if "score" not in words:
            return None
        unit, number = words[words.index("score") + 1 :][:2]
        if unit == "mate":
            return 1.0 if int(number) > 0 else -1.0
        return 2 / (1 + 10 ** (-max(-10_000, min(10_000, int(number))) / PAWNS)) - 1 if unit == "cp" else None
    except ValueError:
        return None  # not a line as UCI has it: it says nothing


def _written(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
