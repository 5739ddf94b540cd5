"""Games that are given up, agreed drawn or cut off: by the values that players tell, from either seat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from lanista.agents.adjudication import Adjudication, DrawRule, ResignRule, adjudication_of, share_of
from lanista.agents.match import Played, Scheduled, play_games
from lanista.envs.core import Array, Choice, Turn
from lanista.errors import UsageError

Values = Callable[[int], float | None]  # of a ply


class Tells:
    """Plays the first legal column that is not full and tells the values that it is given, in [-1, 1]."""

    def __init__(self, name: str, values: Values) -> None:
        self.name, self.values = name, values
        self.over: list[int] = []
        self.asked: list[int] = []

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        assert turn.legal is not None
        self.asked += turn.plies.tolist()
        told = [self.values(ply) for ply in turn.plies.tolist()]
        # Something to remember, which must be forgotten with the game.
        before = np.zeros((len(turn), 1), np.float32) if memory is None else memory
        assert (before[:, 0] == turn.plies // 2).all()
        actions = (turn.plies // 2 * 2 + turn.players * 3) % 7
        actions = np.where(turn.legal[np.arange(len(turn)), actions], actions, turn.legal.argmax(axis=1))
        value = None if None in told else np.array(told, np.float32)
        return Choice(actions, value=value, memory=before + 1)

    def finish(self, games: Array) -> None:
        self.over += games.tolist()


def play(one: Values, other: Values, rules: Adjudication, games: int = 2) -> tuple[list[Played], Tells]:
    agents = [Tells("one", one), Tells("other", other)]
    schedule = [Scheduled((0, 1), seed, label=seed) for seed in range(games)]
    parts = play_games("connect_four", agents, schedule, copies=1, adjudication=rules)
    played = sorted((each for part in parts for each in part), key=lambda each: each.scheduled.label)
    assert sorted(agents[0].over) == list(range(games)), "agents are told which games are over"
    return played, agents[0]


def always(value: float | None) -> Values:
    return lambda ply: value


def test_who_finds_its_game_lost_often_enough_gives_up() -> None:
    rules = Adjudication(resign=ResignRule(3, 0.9))
    for played in play(always(0.95), always(-0.95), rules)[0]:
        assert (played.reason, played.at_fault, played.returns) == ("adjudicated: resign", None, (1, -1))
        assert len(played.moves) == 5, "its third move is not made"
    for played in play(always(-0.95), always(0.95), rules)[0]:
        assert (played.reason, played.returns, len(played.moves)) == ("adjudicated: resign", (-1, 1), 6)


@pytest.mark.parametrize("other", [0.5, None, -0.95])
def test_the_other_side_must_agree_unless_it_is_not_asked(other: float | None) -> None:
    rules = Adjudication(resign=ResignRule(3, 0.9))
    assert {each.reason for each in play(always(-0.95), always(other), rules)[0]} == {"end"}
    (alone, _), _ = play(always(-0.95), always(other if other != -0.95 else 0), replace_twosided(rules))
    assert (alone.reason, alone.returns, len(alone.moves)) == ("adjudicated: resign", (-1, 1), 4)


def replace_twosided(rules: Adjudication) -> Adjudication:
    assert rules.resign is not None
    return replace(rules, resign=replace(rules.resign, twosided=False))


def test_a_move_that_finds_hope_begins_the_count_anew() -> None:
    rules = replace_twosided(Adjudication(resign=ResignRule(3, 0.9)))
    (played, _), _ = play(lambda ply: 0.0 if ply == 4 else -1.0, always(0), rules)
    assert (played.reason, len(played.moves)) == ("adjudicated: resign", 10), "plies 6, 8 and 10"


def test_a_draw_needs_both_and_its_time() -> None:
    rules = Adjudication(draw=DrawRule(movenumber=4, movecount=2, score=0.1))
    for played in play(always(0.05), always(-0.1), rules)[0]:
        assert (played.reason, played.at_fault, played.returns) == ("adjudicated: draw", None, (0, 0))
        assert len(played.moves) == 8
    assert play(always(0), always(0.2), rules)[0][0].reason == "end"
    assert play(always(0), always(None), rules)[0][0].reason == "end"


def test_a_game_is_no_longer_than_it_may_be() -> None:
    played, asked = play(always(None), always(None), Adjudication(most_plies=9))
    assert {(each.reason, each.returns, len(each.moves)) for each in played} == {("adjudicated: length", (0, 0), 9)}
    assert max(asked.asked) == 9 or max(asked.asked) == 8


def test_rules_are_read_as_people_write_them() -> None:
    assert adjudication_of() is None
    found = adjudication_of(["movecount=4", "score=600,twosided=false"], ["movenumber=30 movecount=5 score=0.1"], 300)
    assert found is not None and found.most_plies == 300
    assert found.resign == ResignRule(4, share_of(600), False) and 0.93 < share_of(600) < 0.95
    assert found.draw == DrawRule(30, 5, 0.1)
    assert found.settings() != adjudication_of([], [], 300).settings()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((["movcount=3"],), "did you mean 'movecount'"),
        ((["movecount=0"],), "whole number"),
        ((["score=much"],), "value from 0 to 1, or centipawns"),
        ((["twosided=maybe"],), "true or false"),
        (([], ["score=-1"]), "value from 0 to 1"),
        (([], [], -1), "1 or more"),
    ],
)
def test_wrong_rules_are_refused_in_a_sentence(words: tuple[list[str]], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        adjudication_of(*words)


def test_only_games_of_two_in_turn_are_adjudicated() -> None:
    with pytest.raises(UsageError, match="two players who move in turn"):
        play_games_of_one()


def play_games_of_one() -> None:
    agents, rules = [Tells("one", always(0))], Adjudication(most_plies=5)
    list(play_games("gym:CartPole-v1", agents, [Scheduled((0,), 1)], adjudication=rules))
