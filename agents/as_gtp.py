"""An agent outward as an engine that speaks GTP, version 2, for Go and the other board games.

Gunnar Farneback's draft of October 2002. Vertices are written as the game writes its moves, which in Go is GTP's way.
The first player is black.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import TextIO

import numpy as np

from lanista.agents.isolate import isolate
from lanista.agents.open_board import OpenBoard
from lanista.envs.catalogue import native_options
from lanista.errors import UsageError

LONGEST_LINE = 1 << 16  # characters
COLOURS = {"b": 0, "black": 0, "w": 1, "white": 1}
NAMES = ("black", "white")


class GtpHost:
    """Speaks GTP for a contestant."""

    def __init__(
        self, contestant: str, source: TextIO, sink: TextIO, seed: int = 0, game: str = "go", seconds: float = 3600.0
    ) -> None:
        """Set the board up.

        Args:
            contestant: who plays.
            source, sink: where lines come from and go to.
            seed: of the agent's chance.
            game: the string of a board game.
            seconds: in which the agent must answer; else `genmove` is refused.

        Raises:
            UsageError: the contestant or the game cannot be had.
        """
        self._source, self._sink, self._seed = source, sink, seed
        self._contestant = contestant
        self._agent = isolate(contestant, seconds=seconds, memory=0)
        self._board = OpenBoard(game, seed)
        self._agent.start(self._board.spec, seed)
        self._commands: dict[str, Callable[[list[str]], str]] = {
            "protocol_version": lambda _: "2",
            "name": lambda _: "Lanista",
            "version": lambda _: f"{_version()} {contestant}",
            "known_command": lambda words: str(words[0] in self._commands).lower(),
            "list_commands": lambda _: "\n".join(self._commands),
            "quit": lambda _: "",
            "boardsize": self._board_size,
            "clear_board": self._clear,
            "komi": self._komi,
            "play": self._play,
            "genmove": self._generate,
            "undo": self._undo,
            "showboard": lambda _: f"\n{self._board.text()}",
            "final_score": lambda _: self._score(),
            "time_settings": lambda words: self._numbers(words, 3),
            "time_left": lambda words: self._numbers(words[1:], 2),
            "lanista-game": lambda _: self._board.spec.name,
        }

    def serve(self) -> None:
        """Answer until `quit` or the end of the input."""
        try:
            while line := self._source.readline(LONGEST_LINE):
                words = "".join(sign if sign >= " " else " " for sign in line.partition("#")[0]).split()
                if not words:
                    continue
                number = words.pop(0) if words[0].isdecimal() else ""
                if not words:
                    continue
                command, *rest = words
                try:
                    sign, answer = "=", self._answer(command, rest)
                except UsageError as error:
                    sign, answer = "?", str(error)
                text = "\n".join(each for each in answer.splitlines() if each.strip()) if answer.strip() else ""
                begin = "\n" if answer.startswith("\n") else ""
                self._sink.write(f"{sign}{number} {begin}{text}\n\n")
                self._sink.flush()
                if command == "quit":
                    return
        finally:
            self._agent.close()

    def _answer(self, command: str, words: list[str]) -> str:
        if command not in self._commands:
            raise UsageError("unknown command")
        try:
            return self._commands[command](words)
        except IndexError:
            raise UsageError("syntax error") from None

    def _numbers(self, words: list[str], count: int) -> str:
        """Accept times; agents play at their own pace."""
        if len(words) != count or not all(word.isdecimal() for word in words):
            raise UsageError("syntax error")
        return ""

    def _change(self, option: str, value: str, complaint: str) -> None:
        """Begin another game of the same kind with an option changed."""
        name, _, _ = self._board.spec.name.partition(":")
        options = native_options(self._board.spec.name)
        if option not in options:
            raise UsageError(complaint)
        written = ",".join(f"{key}={each}" for key, each in {**options, option: value}.items())
        try:
            board = OpenBoard(f"{name}:{written}", self._seed)
            if board.spec.name != self._board.spec.name:
                self._agent.start(board.spec, self._seed)
        except UsageError as error:
            self._agent.start(self._board.spec, self._seed)
            raise UsageError(f"{complaint}: {error}") from None
        self._board = board

    def _board_size(self, words: list[str]) -> str:
        size = self._board.rules.shape[-1]
        if not words[0].isdecimal():
            raise UsageError("syntax error")
        if len(words[0]) > 4:
            raise UsageError("unacceptable size")
        if int(words[0]) == size == self._board.rules.shape[-2]:
            self._board.clear()
        else:
            self._change("size", words[0], "unacceptable size")
        return ""

    def _komi(self, words: list[str]) -> str:
        try:
            komi = float(words[0])
        except ValueError:
            raise UsageError("syntax error") from None
        played = [self._written(number) for number in range(len(self._board.actions))]
        self._change("komi", f"{komi:g}", "unacceptable komi")
        for word in played:
            self._board.play(word)
        return ""

    def _written(self, number: int) -> str:
        """The word of a move that was made; in games with a komi it does not depend on the position."""
        return self._board.word(self._board.actions[number])

    def _clear(self, words: list[str]) -> str:
        self._board.clear()
        return ""

    def _give_turn(self, colour: str) -> None:
        """Have a colour to move: in Go the other passes, as for handicap stones."""
        if colour.lower() not in COLOURS:
            raise UsageError("syntax error")
        turn = self._board.turn()
        if int(turn.players[0]) == COLOURS[colour.lower()]:
            return
        if "pass" not in self._board.words(turn):
            raise UsageError(f"it is {NAMES[int(turn.players[0])]}'s turn")
        self._board.play("pass")

    def _play(self, words: list[str]) -> str:
        colour, vertex = words[0], words[1]
        before = len(self._board.actions)
        self._give_turn(colour)
        try:
            self._board.play(vertex)
        except UsageError:
            while len(self._board.actions) > before:
                self._board.undo()
            raise UsageError("illegal move") from None
        return ""

    def _generate(self, words: list[str]) -> str:
        self._give_turn(words[0])
        turn = self._board.turn()
        known = self._board.words(turn)
        if self._board.winner is not None or not known:
            if "pass" in known:
                return "pass"  # two passes ended the game; who counts on may be told no more
            raise UsageError("the game is over")
        choice = self._agent.act(turn)
        action = int(np.asarray(choice.actions).ravel()[0])
        if choice.failed:
            raise UsageError(f"the agent failed: {choice.failed[0]}")
        if action not in known.values():
            raise UsageError(f"the agent failed: illegal action {action}")
        word = self._board.word(action)
        self._board.play(word)
        return word

    def _undo(self, words: list[str]) -> str:
        try:
            self._board.undo()
        except UsageError:
            raise UsageError("cannot undo") from None
        return ""

    def _score(self) -> str:
        if self._board.rules.print_score is not None:
            return self._board.rules.print_score(self._board.position)
        if self._board.winner is None:
            raise UsageError("cannot score")
        return "0" if self._board.winner < 0 else f"{'BW'[self._board.winner]}+1"


def _version() -> str:
    try:
        return version("lanista")
    except PackageNotFoundError:
        return "unknown"
