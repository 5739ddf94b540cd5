"""`uci:stockfish?nodes=1000`: a chess engine that speaks UCI, in its own process.

After the program, with its words if it needs any, come Lanista's limits (`nodes`, `depth`, `milliseconds`, `seconds`
in which a move must be there, `processes` that play at a time, `memory` in megabytes) and the engine's own options, as
in `uci:stockfish?depth=6&Skill Level=3&Hash=4`. It is told the moves of the game each time, and to forget the game
before, so that its moves depend on the game alone; `remember=1` has it forget only when another game begins, which is
quicker: Stockfish takes a millisecond to. By a clock it is told that, thinks no further than its own limits, and
remembers too.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lanista.agents.adjudication import share_of
from lanista.agents.engine import STARTING, Answer, EngineAgent, Limits, check_options, parse_engine
from lanista.agents.line_process import Dialogue, LineProcess
from lanista.agents.processes import ProcessError
from lanista.agents.time_control import TimeControl
from lanista.agents.told_games import ToldGame, ToldGames
from lanista.envs.catalogue import games, native_rules
from lanista.envs.core import Array, GameSpec, Turn
from lanista.errors import UsageError
from lanista.plugs import Value

ARGUMENTS = {"gnuchess": ("--uci",)}  # what a program must be told to speak UCI


@dataclass(frozen=True)
class UciLimits(Limits):
    """And what UCI's `go` takes."""

    nodes: int = 0
    depth: int = 0
    remember: int = 0


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
    counts_nodes = True

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
        self._last_game: dict[LineProcess, int] = {}  # that a process plays, by a clock or with `remember`

    def _games(self, spec: GameSpec) -> ToldGames:
        if spec.name.partition(":")[0] in games():
            rules = native_rules(spec.name)
            if rules.print_engine_move is not None:
                return ToldGames(rules, rules.print_engine_move)
        raise UsageError(f"{self.name} plays chess; it cannot play {spec.name}")

    def _set_up(self, process: LineProcess) -> Dialogue[None]:
        self._last_game.pop(process, None)
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

    def _next_row(self, process: LineProcess, queue: deque[int], answer: Answer) -> int:
        """With `remember` the row whose game the process played last; else one that no other process did."""
        assert isinstance(self.limits, UciLimits)
        if not self.limits.remember:
            return queue.popleft()
        games = answer.games
        mine = self._last_game.get(process)
        taken = next((row for row in queue if games[row] == mine), None)
        if taken is None:
            elsewhere = {game for other, game in self._last_game.items() if other is not process}
            taken = next((row for row in queue if games[row] not in elsewhere), queue[0])
        queue.remove(taken)
        return taken

    def _begin_game(self, process: LineProcess, game: int) -> Dialogue[None]:
        """See that a process knows that it plays this game."""
        if self._last_game.get(process) == game:
            return
        process.send("ucinewgame", "isready", seconds=STARTING, what="'readyok'")
        while (yield).strip() != "readyok":
            pass
        self._last_game[process] = game

    def _move(self, process: LineProcess, told: ToldGame, turn: Turn, row: int) -> Dialogue[tuple[str, float]]:
        assert isinstance(self.limits, UciLimits)
        position = "position startpos" if told.begin is None else f"position fen {told.begin}"
        if told.words:
            position += " moves " + " ".join(told.words)
        begin = ["ucinewgame", "isready"]
        if turn.clock is not None or self.limits.remember:
            # Clearing its tables is not its time, and by a clock it may remember what it thought of this game before.
            yield from self._begin_game(process, int(turn.games[row]))
            begin = []
        go = _go(self.limits, self.control, None if turn.clock is None else turn.clock[row], int(turn.players[row]))
        # In one go: an engine reads its lines in order, and 'readyok' in its answer is passed over.
        process.send(*begin, position, go, seconds=self._time_for(turn, row), what="move")
        told_of: list[str] = []  # lines that may tell a value; the last one that does counts, and no other is read
        while not (line := (yield)).startswith("bestmove"):
            if line.startswith("info ") and (" score " in line or " wdl " in line):
                told_of.append(line)
        words = line.split()
        if len(words) < 2:
            raise ProcessError("answered 'bestmove' without a move")
        values = (value_of(told_line) for told_line in reversed(told_of))
        return words[1], next((value for value in values if value is not None), math.nan)


def _go(limits: UciLimits, control: TimeControl | None, clock: Array | None, player: int) -> str:
    """How an engine is told to think: by its own limits and by those of the game, whichever come first.

    Args:
        limits: its own; without nodes, depth or milliseconds, and without others, 100 milliseconds.
        control: the game's, if it has one.
        clock: `Turn.clock` of the row.
        player: who moves: 0 white, 1 black.
    """
    nodes, milliseconds = limits.nodes, limits.milliseconds
    if control is not None and control.nodes:
        nodes = min(nodes or control.nodes, control.nodes)
    parts: list[tuple[str, int]] = []
    if clock is not None and control is not None:
        left, increment, moves, other = clock.tolist()
        if control.move:
            given = max(1, round(1000 * left))
            milliseconds = min(milliseconds or given, given)
        else:
            times = [max(1, int(1000 * seconds)) for seconds in (left, other)]
            parts = list(zip(("wtime", "btime"), times if player == 0 else times[::-1], strict=True))
            parts += [("winc", int(1000 * increment)), ("binc", int(1000 * increment)), ("movestogo", int(moves))]
    parts += [("nodes", nodes), ("depth", limits.depth), ("movetime", milliseconds)]
    written = "".join(f" {word} {number}" for word, number in parts if number)
    return f"go{written or ' movetime 100'}"


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
        return share_of(int(number)) if unit == "cp" else None
    except (ValueError, OverflowError):
        return None  # not a line as UCI has it: it says nothing


def _written(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
