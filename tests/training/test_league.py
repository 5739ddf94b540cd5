"""The league: who is drawn, seated, counted, promoted and dropped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from auction_environment import registered_auction
from small_league import LEAGUE, SMALL

from lanista.agents.artifact import save_agent
from lanista.agents.contestant import load_agent
from lanista.agents.kinds.first_legal import FirstLegalAgent
from lanista.agents.pairs import divisions, pair_scores, points_between
from lanista.envs import make
from lanista.envs.core import Choice, Turn
from lanista.errors import UsageError
from lanista.training import promotion
from lanista.training.league import (
    RECENT_GAMES,
    League,
    LeagueNews,
    LeagueSettings,
    Member,
    Seating,
    payoffs_from,
    pfsp_probabilities,
)
from lanista.training.league_play import LeaguePlay
from lanista.training.rollout import Rollout
from lanista.training.run import create_run
from lanista.training.settings import new_network, read_settings

# Seats and points.


@pytest.fixture
def auction() -> Iterator[str]:
    with registered_auction() as name:
        yield name


class Bidder:
    """Bids the same at every seat, and remembers where it sat."""

    def __init__(self, bid: int) -> None:
        self.name, self.bid = f"bidder {bid}", bid
        self.seats: set[tuple[int, ...]] = set()

    def act(self, turn: Turn, memory: object = None) -> Choice:
        for copy in np.unique(turn.copies):
            self.seats.add(tuple(turn.players[turn.copies == copy].tolist()))
        return Choice(np.full(len(turn), self.bid))


def test_points_are_of_all_pairs_of_seats() -> None:
    returns = np.array([[3.0, 1.0, 2.0], [1.0, 1.0, 0.0], [0.0, 5.0, 5.0]])
    seats = np.array([[False, True, False], [False, True, True], [True, False, False]])
    np.testing.assert_allclose(points_between(returns, seats), [1.0, 0.75, 1.0])
    np.testing.assert_allclose(points_between(returns, ~seats), [0.0, 0.25, 0.0])


def test_pairs_beyond_two_players_take_all_seatings(auction: str) -> None:
    high, low = Bidder(4), Bidder(1)
    assert pair_scores(auction, high, low, 3, seed=1, plies=(0, 0)).tolist() == [1.0] * 3
    every = {(0,), (1,), (2,), (0, 1), (0, 2), (1, 2)}
    assert high.seats == every and low.seats == every
    assert pair_scores(auction, Bidder(2), Bidder(2), 5, seed=1, plies=(0, 0)).tolist() == [0.5] * 5


def test_a_pair_is_one_opening_from_both_sides() -> None:
    assert pair_scores("connect_four", FirstLegalAgent(), FirstLegalAgent(), 20, seed=3).tolist() == [0.5] * 20
    strong = pair_scores("tictactoe", load_agent("minimax:depth=2"), load_agent("random"), 40, seed=3, plies=(0, 2))
    assert strong.mean() > 0.75
    with pytest.raises(UsageError, match="2 to 62 players"):
        pair_scores("gym:CartPole-v1", FirstLegalAgent(), FirstLegalAgent(), 1, seed=0)


# The league.


def test_pfsp_is_as_the_paper_says() -> None:
    scores = np.array([0.5, 0.9, 0.0])
    np.testing.assert_allclose(pfsp_probabilities(scores, "hard", 2.0), np.array([0.25, 0.01, 1.0]) / 1.26)
    np.testing.assert_allclose(pfsp_probabilities(scores, "hard", 1.0), np.array([0.5, 0.1, 1.0]) / 1.6)
    np.testing.assert_allclose(pfsp_probabilities(scores, "hard", 1e5), [0.0, 0.0, 1.0])
    np.testing.assert_allclose(pfsp_probabilities(np.ones(2), "hard", 2.0).sum(), 1.0)
    np.testing.assert_allclose(pfsp_probabilities(scores, "variance", 2.0), np.array([0.25, 0.09, 0.0]) / 0.34)
    np.testing.assert_allclose(pfsp_probabilities(scores, "uniform", 2.0), [1 / 3] * 3)


def league_of(folder: Path, size: int = 2, fixed: tuple[str, ...] = ("random",), **settings: Any) -> League:
    return League(LeagueSettings(league_size=size, **settings), fixed, folder)


def test_members_that_were_never_played_are_drawn(tmp_path: Path) -> None:
    league = league_of(tmp_path)
    league.admit(Member("100", True))
    league.hear(LeagueNews({"random": 1000.0}, {"random": 1000.0}))
    seating = league.seating(0)
    assert seating.probabilities[1] > 0.99 and seating.probabilities[0] > 0


def test_the_learners_games_fade_and_those_of_members_do_not(tmp_path: Path) -> None:
    league = league_of(tmp_path)
    league.admit(Member("100", True))
    one, other = league.members
    for _ in range(1000):
        league.hear(LeagueNews({"random": 10.0}, {"random": 0.0}))
        league.note(one, other, 10, 2.5)
    assert league.games[1, 2] == league.games[2, 1] == 10_000 and league.points[2, 1] == 7500
    assert RECENT_GAMES < league.games[0, 1] < RECENT_GAMES + 10
    for _ in range(100):
        league.hear(LeagueNews({"random": 10.0}, {"random": 10.0}))
    assert league.scores()[0] > 0.8, "it became stronger than it was for ten times as long"


def test_a_full_league_drops_the_past_self_that_is_beaten_most_surely(tmp_path: Path) -> None:
    league = league_of(tmp_path)
    league.admit(Member("100", True))
    league.admit(Member("200", True))
    league.hear(LeagueNews({"random": 50.0, "100": 20.0, "200": 50.0}, {"random": 50.0, "100": 12.0, "200": 45.0}))
    league.note(league.members[1], league.members[0], 8, 6.0)
    left = league.admit(Member("300", True))
    assert left == Member("200", True), "a fixed opponent stays, however weak"
    assert [member.name for member in league.members] == ["random", "100", "300"]
    assert league.newest == Member("300", True)
    assert league.games[2, 1] == 8 and league.points[2, 1] == 6.0 and not league.games[3].any()
    league.hear(LeagueNews({"200": 5.0}, {"200": 5.0}))  # its last games, told late
    assert league.games[0].tolist() == [0, 50, 20, 0]


def test_a_league_is_kept_as_json(tmp_path: Path) -> None:
    league, again = league_of(tmp_path), league_of(tmp_path)
    league.admit(Member("100", True))
    league.hear(LeagueNews({"random": 3.0, "100": 7.0}, {"random": 0.1, "100": 0.7}))
    state = json.loads(json.dumps(league.state()))
    again.restore(state)
    assert again.state() == league.state() and again.members == league.members
    np.testing.assert_array_equal(again.seating(4).probabilities, league.seating(4).probabilities)
    damages: Any = ({"format": 9}, {"games": [[0.0]]}, {"points": (9 * league.games + 1).tolist()}, {"members": [{}]})
    for damage in damages:
        with pytest.raises((ValueError, KeyError)):
            payoffs_from(state | damage)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"pfsp": "hrad"}, "did you mean 'hard'"),
        ({"league_share": 1.5}, "at most 1"),
        ({"promotion_updates": 0}, "more than 0"),
        ({"promotion_score": 0.5}, "between 0.5 and 1"),
        ({"exploiters": 1}, "league_size=8"),
        ({"league_size": 2, "opponents": "random", "opponent_share": 0.1}, "members of the league"),
    ],
)
def test_wrong_settings_of_a_league_are_refused(changes: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        read_settings("tictactoe", changes=changes)


def test_a_league_that_cannot_be_leaves_no_folder(tmp_path: Path) -> None:
    wrong: list[tuple[str, dict[str, Any], str]] = [
        ("gym:CartPole-v1", {"league_size": 2}, "2 to 62 players"),
        ("tictactoe", {"league_size": 2, "memory": "gru"}, "without a memory"),
        ("tictactoe", {"league_size": 2, "trainer": "sb3"}, "'sb3' plays no league"),
        ("tictactoe", {"league_size": 2, "opponents": "randm"}, "did you mean 'random'"),
    ]
    for game, changes, says in wrong:
        with pytest.raises(UsageError, match=says):
            create_run(tmp_path / "run", read_settings(game, changes=changes))
        assert not (tmp_path / "run").exists()


# A runner's part.


def frozen(folder: Path, game: str, *names: str) -> tuple[Member, ...]:
    for number, name in enumerate(names):
        torch.manual_seed(number)
        save_agent(folder / name, new_network(make(game).spec, read_settings(game, changes=SMALL)), game, "float32", {})
    return tuple(Member(name, True) for name in names)


def seating_of(update: int, members: tuple[Member, ...], folder: Path) -> Seating:
    return Seating(update, members, np.full(len(members), 1 / len(members)), folder)


def test_all_divisions_of_the_seats_are_drawn_alike(auction: str) -> None:
    play = LeaguePlay(make(auction).spec, 8, 1, 1, seed=3)
    assert not play.seats(np.arange(5, dtype=np.uint64)).any(), "nobody is drawn yet: all is self-play"
    play.follow(Seating(0, (Member("random", False),), np.ones(1), Path()), np.zeros((8, 3), np.int64))
    draws = np.random.default_rng(0).integers(2**63, size=6000).astype(np.uint64)
    kinds, counts = np.unique(play.seats(draws), axis=0, return_counts=True)
    assert kinds.shape == (6, 3) and set(kinds.sum(1).tolist()) == {1, 2}
    assert (abs(counts - 1000) < 5 * np.sqrt(1000 * 5 / 6)).all()
    assert divisions(np.array([1, 2, 5]), 3).tolist() == [
        [True, False, False], [False, True, False], [True, False, True]
    ]  # fmt: skip


def test_games_that_have_begun_keep_their_opponent(tmp_path: Path) -> None:
    """Slots change their member only when none of its games goes on; each finished game counts for whom it was with."""
    members = frozen(tmp_path, "connect_four", "1", "2", "3", "4", "5")
    play = LeaguePlay(make("connect_four").spec, 24, 2, 1, seed=3)
    torch.manual_seed(9)
    game = make("connect_four", 32)
    network = new_network(game.spec, read_settings("connect_four", changes=SMALL))
    rollout = Rollout(game, network, bfloat16=False, seed=3, league=play)
    opponent: dict[int, str] = {}  # game -> who played it
    count = play.ended
    ended: list[int] = []

    def spy(seats: np.ndarray, returns: np.ndarray) -> None:
        ended.append(int((seats > 0).any(1).sum()))
        count(seats, returns)

    play.ended = spy  # type: ignore[method-assign]
    games, seen = 0.0, set()
    for update in range(14):
        rollout.follow(seating_of(update, members, tmp_path))
        rollout.collect(6, 1.0, 0.95)
        turn = game.turn()
        for copy, number in zip(turn.copies.tolist(), turn.games.tolist(), strict=True):
            slot = int(rollout._seats[copy].max())
            if slot:
                member = play.slots[slot - 1].member
                assert member is not None and opponent.setdefault(number, member.name) == member.name
        news = play.news()
        assert all(0 <= news.points[name] <= news.games[name] for name in news.games)
        games += sum(news.games.values())
        seen |= set(news.games)
    assert games == sum(ended) > 30
    assert len(seen) >= 4, "members take turns"
    assert not rollout._seats[24:].any()


def test_points_of_members_are_those_of_the_games(auction: str, tmp_path: Path) -> None:
    """Against one that always loses: three bids of a network, drawn, and a member that bids nothing."""
    game = make(auction, 40)
    play = LeaguePlay(game.spec, 40, 1, 1, seed=3)
    torch.manual_seed(0)
    network = new_network(game.spec, read_settings(auction, changes=SMALL))
    rollout = Rollout(game, network, bfloat16=False, seed=3, league=play)
    rollout.follow(Seating(0, (Member("first-legal", False),), np.ones(1), tmp_path))
    rollout.collect(1, 1.0, 0.95)  # games of self-play, begun before anybody was drawn
    assert not play.news().games
    batch = rollout.collect(10, 1.0, 0.95)
    news = play.news()
    assert news.games == {"first-legal": 400.0}
    assert 0.85 < news.points["first-legal"] / 400 < 0.95, "4 of 5 bids win, 1 of 5 is a draw"
    assert 500 < len(batch.actions) < 700, "of three seats one or two are the learner's, and only they are learned"
    assert batch.actions.mean() > 1.5, "no row of the member that bids nothing is among them"


# Promotion and runs.


def test_only_a_stronger_network_joins(tmp_path: Path) -> None:
    settings = read_settings("tictactoe", changes=SMALL | LEAGUE | {"promotion_pairs": 64})
    league = League(settings, ["random"], tmp_path)
    torch.manual_seed(0)
    network = new_network(make("tictactoe").spec, settings)
    assert promotion.offer(league, settings, network, "float32", {"steps": 10}) is None
    assert [member.name for member in league.members] == ["random", "10"]
    assert league.games[2, 1] == 2 * promotion.PAYOFF_PAIRS
    again = promotion.offer(league, settings, network, "float32", {"steps": 20})
    assert again is not None and not again.stronger and len(league.members) == 2, "it is as strong as itself"
    assert not (tmp_path / "20").exists()
    found = promotion.contest(settings, load_agent("minimax:depth=3"), load_agent("random"), 5)
    assert found.stronger and found.decided and found.score > 0.7
