"""Verification: a true store is found true, and one flipped bit of it is found out and named."""

from __future__ import annotations

import contextlib
import json
import math
import re
import shutil
import sqlite3
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lanista.agents.artifact import save_agent
from lanista.agents.policy_network import build_network
from lanista.arena.move_encoding import encoded
from lanista.arena.store import Store
from lanista.arena.tournament import tournament
from lanista.arena.verification import Verdict, verify
from lanista.cli.main import main
from lanista.envs import make
from lanista.envs.core import Array, Choice, Turn

WHO = ["random", "first-legal", "minimax:depth=1"]


class Wrongdoer:
    """Plays the first legal move, crashes in every third game and answers illegally in every third."""

    name = "wrongdoer"

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        if (turn.games % 3 == 0).any() and (turn.plies > 3).any():
            raise RuntimeError("no idea")
        actions = np.asarray(turn.legal).argmax(1)
        return Choice(np.where((turn.games % 3 == 1) & (turn.plies > 4), 99, actions))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("verify") / "t.sqlite"
    tournament("connect_four", [*WHO, Wrongdoer()], games=20, db=path)
    return path


@pytest.fixture
def db(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(whole, tmp_path / "t.sqlite"))


def verified(path: Path) -> Verdict:
    with Store(path, write=False) as store:
        return verify(store)


def changed(path: Path, game: int, **columns: object) -> None:
    """Change a row behind the store's back, its values as the table has them."""
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("DROP TRIGGER games_never_change")
        for column, value in columns.items():
            database.execute(f"UPDATE games SET {column} = ? WHERE id = ?", (value, game))


def numbers(path: Path, reason: str = "end") -> list[int]:
    """The numbers of the games that ended like this."""
    with Store(path, write=False) as store:
        return [number for number, game in store.readable()[0].items() if game.reason.startswith(reason)]


def test_a_true_store_is_found_true(whole: Path) -> None:
    verdict = verified(whole)
    assert verdict.true and verdict.games == 120 and not verdict.rules
    assert set(verdict.missing) == {"wrongdoer"} and not verdict.changed
    assert numbers(whole, "crashed") and numbers(whole, "illegal")


@pytest.mark.parametrize("game", ["chess", "go:size=5", "kuhn_poker", "othello", "openspiel:tic_tac_toe", "hex:size=3"])
def test_every_kind_of_game_is_replayed(game: str, tmp_path: Path) -> None:
    tournament(game, ["random", "first-legal"], games=6, db=tmp_path / "t.sqlite", opening_plies=(0, 1))
    verdict = verified(tmp_path / "t.sqlite")
    assert verdict.true, verdict.wrong
    flipped = numbers(tmp_path / "t.sqlite")[2]
    changed(tmp_path / "t.sqlite", flipped, returns=packed([0.25, 0.25]))
    assert [wrong.game for wrong in verified(tmp_path / "t.sqlite").wrong] == [flipped]


@pytest.mark.thorough
def test_games_whose_players_have_other_actions_are_true(tmp_path: Path) -> None:
    game = "zoo:mpe/simple_speaker_listener_v4"
    tournament(game, ["random", "first-legal"], games=4, db=tmp_path / "t.sqlite")
    verdict = verified(tmp_path / "t.sqlite")
    assert verdict.true and verdict.games == 4, verdict.wrong


def packed(returns: list[float]) -> bytes:
    """Returns as the table has them."""
    return struct.pack(f"<{len(returns)}d", *returns)


PACKED: dict[str, Callable[[Any], object]] = {"moves": encoded, "returns": packed}


def flip_last_move(moves: list[int]) -> list[int]:
    return [*moves[:-1], (moves[-1] + 1) % 7]


@pytest.mark.parametrize(
    ("of", "columns", "says"),
    [
        ("end", {"moves": flip_last_move}, r"not over after its|the rules give it|is illegal"),
        ("end", {"moves": lambda moves: moves[:-1]}, "not over after its"),
        ("end", {"moves": lambda moves: [*moves, 3]}, "it is over after move"),
        ("end", {"moves": lambda moves: [*moves[:-1], 7]}, "no action from 0 to 6"),
        ("end", {"moves": lambda moves: [*moves[:-1], "3"]}, "no action's number"),
        ("end", {"moves": lambda moves: {"3": 3}}, "cannot be read: no list"),
        ("end", {"returns": lambda returns: [0.5, -0.5]}, "the rules give it the points"),
        ("end", {"returns": lambda returns: returns[:1]}, "2 players' points"),
        ("end", {"reason": "crashed: it did", "at_fault": 0}, r"the rules end it \(end\)"),
        ("end", {"seed": 5}, "seed 5 is not the one of its place"),
        ("end", {"seed": -5}, "seed -5 is not the one of its place"),
        ("end", {"seed": 2**63 - 1}, "is not the one of its place"),
        ("end", {"number": 77}, "is not the one of its place"),
        ("end", {"leg": 3}, "its leg is 3"),
        ("end", {"returns": lambda returns: [math.nan, 0.0]}, "its points are no numbers"),
        ("crashed", {"at_fault": 7}, "it has no player 7 who could have failed"),
        ("end", {"meeting": 77}, "was never entered"),
        ("end", {"batch": 77}, "its batch 77 is not there"),
        ("end", {"opening": 99}, "does not begin with its opening"),
        ("end", {"opening": -1}, "does not begin with its opening"),
        ("end", {"moves": b"\x01\x00\x02"}, "its moves are cut off"),
        ("end", {"moves": 3}, "its moves are none"),
        ("crashed", {"returns": lambda returns: returns[::-1]}, "a forfeit of player"),
        ("crashed", {"reason": "end", "at_fault": None}, "not over after its"),
        ("crashed", {"reason": "illegal action 3"}, "that action is legal"),
        ("illegal", {"moves": lambda moves: moves[:-1]}, "it was not the turn of player"),
    ],
)
def test_one_change_is_found_out_and_named(
    db: Path, of: str, columns: dict[str, Callable[[object], object] | object], says: str
) -> None:
    with Store(db, write=False) as store:
        played = store.readable()[0]
    number = max(numbers(db, of), key=lambda each: len(played[each].moves) - len(played[each].opening))
    stored = vars(played[number])
    values = {
        name: PACKED[name](value(list(stored[name]))) if callable(value) else value for name, value in columns.items()
    }
    changed(db, number, **values)
    verdict = verified(db)
    (wrong,) = verdict.wrong
    assert not verdict.true and wrong.game == number
    assert re.search(says, wrong.why), wrong.why


def test_an_opening_that_is_not_drawn_by_its_seed_is_found_out(db: Path) -> None:
    with Store(db, write=False) as store:
        played = store.readable()[0]
    first = next(game for game in played.values() if game.reason == "end" and game.opening)
    pair = [number for number, game in played.items() if game.seed == first.seed]
    assert len(pair) == 2
    with (
        contextlib.closing(sqlite3.connect(db)) as database,
        database,
    ):  # in both games, which still agree with each other, and all moves are legal
        database.execute("DROP TRIGGER games_never_change")
        for number in pair:
            shorter = len(played[number].opening) - 1
            database.execute("UPDATE games SET opening = ? WHERE id = ?", (shorter, number))
    assert [(wrong.game, wrong.why) for wrong in verified(db).wrong] == [
        (number, "its opening is not the one that its seed draws") for number in sorted(pair)
    ]


def test_a_flipped_bit_of_the_file_is_found_out(db: Path) -> None:
    reason = b"crashed: RuntimeError: no idea"
    bytes_ = bytearray(db.read_bytes())
    bytes_[bytes_.index(reason)] ^= 0x80
    db.write_bytes(bytes_)
    (wrong,) = verified(db).wrong
    assert "cannot be read" in wrong.why
    assert main(["verify", str(db)]) == 1
    assert main(["standings", str(db)]) == 2


def test_who_changed_is_said_and_makes_no_game_false(tmp_path: Path) -> None:
    folder, db = tmp_path / "agent", tmp_path / "t.sqlite"
    for _ in range(2):
        save_agent(folder, build_network(make("tictactoe").spec, "mlp"), "tictactoe", "float32", {})
        if not db.exists():
            tournament("tictactoe", [str(folder), "random"], games=2, db=db)
    verdict = verified(db)
    assert verdict.true and verdict.changed == (folder.as_posix(),)
    shutil.rmtree(folder)
    verdict = verified(db)
    assert verdict.true and list(verdict.missing) == [folder.as_posix()]


def test_other_rules_are_said(db: Path) -> None:
    with contextlib.closing(sqlite3.connect(db)) as database, database:
        database.execute("UPDATE sessions SET versions = ?", (json.dumps({"rules": "connect_four of old"}),))
    verdict = verified(db)
    assert verdict.true and "have changed since session 1" in verdict.rules


def test_the_command_says_it_and_exits_with_it(db: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(db)]) == 0
    assert "120 games of connect_four played again: all are as they are stored" in capsys.readouterr().out
    changed(db, 3, returns=packed([0.5, 0.5]))
    assert main(["verify", str(db), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["true"] is False and [wrong["game"] for wrong in told["wrong"]] == [3]
    assert main(["verify", str(db)]) == 1
    assert "game 3 (" in capsys.readouterr().out
    assert main(["verify", str(db.with_name("nothing"))]) == 2
