"""An agent outward as a chess engine that speaks UCI, for chess programs and tournament managers.

Stefan Meyer-Kahlen's protocol of April 2006 but for pondering. The main thread reads; a second one waits for the agent,
which thinks in a process of its own, so that `stop` and `quit` are obeyed whatever it does.
"""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Callable, Sequence
from typing import TextIO

from lanista.agents.open_board import OpenBoard
from lanista.agents.thinker import GRACE, Limits, Thinker, Thought
from lanista.errors import UsageError

LONGEST_LINE = 1 << 20  # characters; a game of 10,000 plies has some 50,000
MOVES_LEFT = 30  # for which the clock is shared out where the other side does not say
MOST_NUMBER = 10**12  # milliseconds or nodes; who writes more means no limit
LAST_PLY = 99  # of the fifty moves of each side without progress
PAWNS = 400.0  # centipawns that make the odds ten to one, as in Elo's formula
MOST = 10_000  # centipawns


class UciHost:
    """Speaks UCI for a contestant."""

    def __init__(self, contestant: str, source: TextIO, sink: TextIO, seed: int = 0, game: str = "chess") -> None:
        """Set the board up.

        Args:
            contestant: who plays.
            source, sink: where lines come from and go to.
            seed: of the agent's chance.
            game: the string of a game whose moves UCI can write.

        Raises:
            UsageError: the contestant or the game cannot be had.
        """
        self._source, self._sink, self._seed = source, sink, seed
        self._board = OpenBoard(game, seed)
        if self._board.rules.print_engine_move is None:
            raise UsageError(f"UCI is for chess, not for {self._board.spec.name}; try --protocol gtp")
        self._thinker = Thinker(contestant)
        self._thinker.start(self._board.spec, seed)
        self._thread: threading.Thread | None = None
        self._saying = threading.Lock()
        self._warm = False
        self._playable = True

    def serve(self) -> None:
        """Answer until `quit` or the end of the input."""
        doing: dict[str, Callable[[list[str]], None]] = {
            "uci": self._uci,
            "isready": self._be_ready,
            "setoption": self._set_option,
            "ucinewgame": lambda _: self._halt(),
            "position": self._position,
            "go": self._go,
            "stop": lambda _: self._halt(),
        }
        try:
            while line := self._source.readline(LONGEST_LINE):
                words = line.split()
                while words and words[0] not in doing and words[0] != "quit":
                    words.pop(0)  # as the protocol wants it: what is not known is passed over
                if words and words[0] == "quit":
                    break
                if words:
                    try:
                        doing[words[0]](words[1:])
                    except UsageError as error:
                        self._say(f"info string {error}")
        finally:
            self._halt(0.0)
            self._thinker.close()

    def _say(self, *lines: str) -> None:
        # After `quit` nobody may listen any more.
        with self._saying, contextlib.suppress(BrokenPipeError):
            self._sink.write("".join(f"{line}\n" for line in lines))
            self._sink.flush()

    def _uci(self, words: list[str]) -> None:
        lines = [f"id name Lanista {self._thinker.contestant}", "id author the Lanista project"]
        for key, value in self._thinker.options.items():
            if isinstance(value, bool):
                lines.append(f"option name {key} type check default {str(value).lower()}")
            elif isinstance(value, int):
                lines.append(f"option name {key} type spin default {value} min 0 max 1000000")
            else:
                lines.append(f"option name {key} type string default {value}")
        self._say(*lines, "uciok")

    def _be_ready(self, words: list[str]) -> None:
        if not self._warm and self._thread is None:
            turn = self._board.turn()
            if self._board.words(turn):
                self._thinker.warm_up(turn)
                self._warm = True
        self._say("readyok")

    def _set_option(self, words: list[str]) -> None:
        self._halt()
        text = " ".join(words).removeprefix("name ")
        name, _, value = text.partition(" value ")
        self._thinker.set_option(name.strip(), value.strip())

    def _position(self, words: list[str]) -> None:
        self._halt()
        self._playable = False
        at = words.index("moves") if "moves" in words else len(words)
        if words[:1] == ["fen"]:
            fen = words[1:at]
            if len(fen) > 4 and fen[4].isdecimal():  # who plays on after our rules' fifty moves counts further
                fen[4] = str(min(int(fen[4][:9]), LAST_PLY))
            self._board.set_up(" ".join(fen))
        elif words[:1] == ["startpos"]:
            self._board.clear()
        else:
            raise UsageError("a position is 'startpos' or 'fen ...', and then 'moves ...'")
        for word in words[at + 1 :]:
            self._board.play(word)
        self._playable = True

    def _go(self, words: list[str]) -> None:
        self._halt()
        if not self._playable:  # the last position was refused, as one in which the game is over
            self._say("bestmove (none)")
            return
        turn = self._board.turn()
        assert turn.legal is not None
        known = self._board.words(turn)
        limits = limits_from(words, int(turn.players[0]))
        if not known:
            self._say("bestmove (none)")
            return
        named = {action: word for word, action in known.items()}

        def think() -> None:
            thought = self._thinker.think(turn, limits, lambda each: self._say(_info(each, named)))
            if thought is None:
                self._say(
                    f"info string the agent {self._thinker.failure or 'gave no answer'}; this is the first legal move"
                )
            self._say(f"bestmove {named[thought.action] if thought else min(known)}")

        self._thinker.resume()
        self._thread = threading.Thread(target=think, daemon=True)
        self._thread.start()

    def _halt(self, grace: float = GRACE) -> None:
        """Have the present thought end, with its move said."""
        if self._thread is not None:
            while self._thread.is_alive():  # it may be about to begin its next step
                self._thinker.stop(grace)
                self._thread.join(0.05)
            self._thread = None


def limits_from(words: Sequence[str], player: int) -> Limits:
    """How long to think, from the words after `go`.

    Args:
        words: `depth 3`, `wtime 60000 btime 60000 winc 0 binc 0`, ...
        player: 0 for white, 1 for black.

    Raises:
        UsageError: a number is none.
    """
    numbers: dict[str, int] = {}
    for key in ("depth", "nodes", "movetime", "wtime", "btime", "winc", "binc", "movestogo"):
        if key in words:
            text = "".join(words[words.index(key) + 1 :][:1])
            try:
                numbers[key] = max(-MOST_NUMBER, min(MOST_NUMBER, int(text)))
            except ValueError:
                raise UsageError(f"'go {key}' needs a whole number, not '{text}'") from None
    seconds = numbers["movetime"] / 1000 if "movetime" in numbers else None
    clock = numbers.get(("wtime", "btime")[player])
    if seconds is None and clock is not None:
        share = clock / max(1, numbers.get("movestogo", MOVES_LEFT)) + 0.8 * numbers.get(("winc", "binc")[player], 0)
        seconds = max(0.01, min(share, 0.5 * clock) / 1000)
    depth, nodes = (max(1, numbers[key]) if key in numbers else None for key in ("depth", "nodes"))
    return Limits(depth, nodes, seconds, "infinite" in words)


def _info(thought: Thought, named: dict[int, str]) -> str:
    """A line of what was found, as UCI has it; the value as centipawns by Elo's formula."""
    parts = ["info"]
    if thought.step is not None:
        parts.append(f"{'depth' if thought.step[0] == 'depth' else 'depth 1 nodes'} {thought.step[1]}")
    else:
        parts.append("depth 1")
    if thought.value is not None and not math.isnan(thought.value):
        parts.append(f"score cp {centipawns(thought.value)}")
    return " ".join([*parts, f"time {round(thought.seconds * 1000)}", f"pv {named[thought.action]}"])


def centipawns(value: float) -> int:
    """A return from -1 to 1 in hundredths of a pawn, at most `MOST`: the inverse of Elo's formula."""
    share = (1 + max(-1.0, min(1.0, value))) / 2
    if not 0 < share < 1:
        return MOST if share else -MOST
    return round(max(-MOST, min(MOST, PAWNS * math.log10(share / (1 - share)))))
