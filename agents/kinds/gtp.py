"""`gtp:gnugo --level 1`: an engine that speaks GTP, in its own process, on Go and other square boards.

After the program and its words come Lanista's limits: `seconds` in which a move must be there, `milliseconds` to think,
told as GTP's time settings, `processes` that play at a time, and `memory` in megabytes, as in
`gtp:gnugo --level 5?seconds=20&processes=2`. A clock is told in whole seconds, as GTP has it.
A process goes on with the game it stands in where it can, and is told another from its beginning. GNU Go is told the
rules of Lanista's Go: area scoring, positional superko, dead stones to be taken before the end.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from lanista.agents.engine import STARTING, Answer, EngineAgent, Limits, parse_engine
from lanista.agents.line_process import Dialogue, LineProcess, quoted
from lanista.agents.processes import ProcessError
from lanista.agents.time_control import TimeControl
from lanista.agents.told_games import ToldGame, ToldGames
from lanista.envs.catalogue import games, native_options, native_rules
from lanista.envs.core import GameSpec, Turn
from lanista.errors import UsageError

GNU_GO = (
    ("--mode", ("--mode", "gtp")),
    ("--chinese-rules", ("--chinese-rules",)),
    ("--japanese-rules", ("--positional-superko",)),
    ("--resign-allowed", ("--never-resign",)),
    ("--play-out-aftermath", ("--capture-all-dead",)),
)  # (a word that says otherwise, the words that GNU Go is given without it)
COLOURS = ("black", "white")


def make(program: str, seconds: float = 30.0, processes: int = 1) -> GtpAgent:
    """An engine by its program; `read` takes all that a contestant's string can say."""
    return read(f"{program}?seconds={seconds}&processes={processes}", f"gtp:{program}")


def read(written: str, source: str) -> GtpAgent:
    """The engine of a contestant's string.

    Args:
        written: it, without `gtp:`.
        source: all of it.

    Raises:
        UsageError: the program is not installed, a limit is wrong.
    """
    command, limits, options = parse_engine(written, source, Limits)
    if options:
        raise UsageError(
            f"'{source}': GTP has no options, so not '{next(iter(options))}'; write the program's own words"
        )
    if Path(command[0]).name == "gnugo":
        for otherwise, words in GNU_GO:
            if otherwise not in command:
                command += words
    return GtpAgent(source, command, limits)


class GtpAgent(EngineAgent):
    """Plays what a GTP engine answers to `genmove`. See `agents.engine.EngineAgent`."""

    protocol = "gtp"

    def __init__(self, name: str, command: Sequence[str], limits: Limits) -> None:
        """Know the engine; the arguments are those of `EngineAgent`."""
        super().__init__(name, command, limits)
        self._preparations: list[str] = []
        self._known: set[str] = set()  # the commands that it knows
        self._standing: dict[LineProcess, list[str]] = {}  # the moves that each process has on its board

    def _games(self, spec: GameSpec) -> ToldGames:
        only_go = Path(self.command[0]).name == "gnugo"
        name = spec.name.partition(":")[0]
        if name not in games() or not spec.perfect_information or (only_go and name != "go"):
            raise UsageError(
                f"{self.name} plays {'Go' if only_go else 'native board games'}; it cannot play {spec.name}"
            )
        rules = native_rules(spec.name)
        if len(rules.shape) < 2 or rules.shape[-1] != rules.shape[-2]:
            raise UsageError(f"{self.name} plays on square boards; that of {spec.name} is none")
        self._preparations = [f"boardsize {rules.shape[-1]}", "clear_board"]
        komi = native_options(spec.name).get("komi")
        if komi is not None:
            self._preparations.append(f"komi {komi}")
        if self.control is not None and self.control.timed:
            self._preparations.append(_time_settings(self.control))
        elif self.limits.milliseconds:
            self._preparations.append(f"time_settings 0 {math.ceil(self.limits.milliseconds / 1000)} 1")
        for process in self._processes:  # they may stand on another board
            process.end()
        return ToldGames(rules, rules.print_move)

    def _set_up(self, process: LineProcess) -> Dialogue[None]:
        (known,) = yield from _asked(process, ["list_commands"], STARTING, "answer")
        self._known = set(known.split())
        yield from _asked(process, self._preparations, STARTING, "answer")
        self._standing[process] = []

    def _next_row(self, process: LineProcess, queue: deque[int], answer: Answer) -> int:
        """The row that goes on where the process stands; else one that no other process could go on with."""
        rest = [board for other, board in self._standing.items() if other is not process and other.running]
        taken = queue[0]
        mine = self._standing.get(process, []) if process.running else []
        free = None
        for row in queue:
            words = answer.told[row].words
            if mine and words[: len(mine)] == mine:
                taken = row
                break
            if free is None and not any(board and words[: len(board)] == board for board in rest):
                free = row
        else:
            taken = queue[0] if free is None else free
        queue.remove(taken)
        return taken

    def _move(self, process: LineProcess, told: ToldGame, turn: Turn, row: int) -> Dialogue[tuple[str, float]]:
        if told.begin is not None:
            raise ProcessError("cannot be shown a position that no moves lead to")
        board = self._standing[process]
        commands: list[str] = []
        if told.words[: len(board)] != board:
            commands.append("clear_board")
            board.clear()
        fresh = list(zip(told.words, told.movers, strict=True))[len(board) :]
        commands += [f"play {COLOURS[mover]} {word}" for word, mover in fresh]
        colour = COLOURS[int(turn.players[row])]
        if "set_random_seed" in self._known:
            commands.append(f"set_random_seed {int(turn.draws[row]) % 2**31}")
        if turn.clock is not None and "time_left" in self._known:
            left, _, moves, _ = turn.clock[row].tolist()
            commands.append(f"time_left {colour} {int(left)} {int(moves)}")
        commands.append(f"genmove {colour}")
        *_, word = yield from _asked(process, commands, self._time_for(turn, row), "move")
        if word.lower() == "resign":
            raise ProcessError("resigned")
        board += [word for word, _ in fresh]
        # As the game writes it, since that is what the next turn's words are compared with.
        board.append(next((name for name in self._names(told, turn, row) if name.lower() == word.lower()), word))
        return word, math.nan

    def _names(self, told: ToldGame, turn: Turn, row: int) -> list[str]:
        assert self._told is not None and turn.legal is not None
        return list(self._told.words_of(told.position, turn.legal[row]))


def _time_settings(control: TimeControl) -> str:
    """GTP's words for a time control, in whole seconds; it has none for an increment, which `time_left` shows."""
    if control.move:
        return f"time_settings 0 {math.ceil(control.move)} 1"
    if control.moves:
        return f"time_settings 0 {int(control.begin)} {control.moves}"
    return f"time_settings {max(1, int(control.begin))} 0 0"


def _asked(process: LineProcess, commands: Sequence[str], seconds: float, what: str) -> Dialogue[list[str]]:
    """Send commands at once; the answer to each, without its sign, lines joined by a newline.

    Raises:
        ProcessError: one was refused, or the answer is none of GTP.
    """
    process.send(*commands, seconds=seconds, what=what)
    answers = []
    for command in commands:
        line = ""
        while not line:
            line = (yield).strip()
        if not line.startswith(("=", "?")):
            raise ProcessError(f"answered '{command}' with {quoted(line)}, which is no GTP")
        lines = [line]
        while line := (yield).rstrip():
            lines.append(line)
        if lines[0].startswith("?"):
            raise ProcessError(f"refused '{command}': {quoted(lines[0][1:].strip())}")
        lines[0] = lines[0][1:].strip()
        answers.append("\n".join(lines))
    return answers
