"""Ratings of an agent against anchors: the likeliest ones, intervals that hold the truth, one scale for a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from lanista.agents.contestant import load_agent
from lanista.agents.match import score
from lanista.agents.pairs import Scores
from lanista.training import anchor_rating
from lanista.training.anchor_rating import SCALE_FILE, SCALE_PAIRS, anchor_scale, rate, scale_of


def expected(difference: float) -> float:
    return float(1 / (1 + 10 ** (-difference / 400)))


def played(difference: float, pairs: int, random: np.random.Generator) -> Scores:
    wins: Scores = (random.random((pairs, 2)) < expected(difference)).mean(axis=1)
    return wins


def test_a_rating_is_the_likeliest_with_a_drawn_pair_more() -> None:
    random = np.random.default_rng(0)
    scale = {"weak": 0.0, "middling": 180.0, "strong": 450.0}
    scores = {name: played(250 - elo, 10 + 5 * n, random) for n, (name, elo) in enumerate(scale.items())}

    def loss(rating: float) -> float:
        total = 0.0
        for name, shares in scores.items():
            chance, points = expected(rating - scale[name]), shares.sum() + 0.5 / 3
            total -= points * np.log(chance) + (len(shares) + 1 / 3 - points) * np.log(1 - chance)
        return float(total)

    found = rate(scores, scale)
    assert found is not None
    assert found.elo == pytest.approx(minimize_scalar(loss, bounds=(-3000, 3000), method="bounded").x, abs=0.1)
    assert found.low < found.elo < found.high
    assert rate({}, {}) is None


def test_all_points_are_a_finite_rating_that_more_pairs_raise() -> None:
    few, many = (rate({"random": np.ones(pairs)}, {"random": 0.0}) for pairs in (8, 64))
    assert few is not None and many is not None
    assert 300 < few.elo < many.elo < 1200 and many.elo < many.high < 3000
    none = rate({"random": np.zeros(8)}, {"random": 0.0})
    assert none is not None and none.elo == pytest.approx(-few.elo)


@pytest.mark.parametrize("truth", [0.0, 600.0, 900.0])
def test_intervals_hold_the_truth(truth: float) -> None:
    """Of 200 agents of known strength, measured by 16 pairs against each of two anchors."""
    random = np.random.default_rng(1)
    scale = {"random": 0.0, "minimax:depth=1": 170.0}
    held = 0
    for seed in range(200):
        found = rate({name: played(truth - elo, 16, random) for name, elo in scale.items()}, scale, seed)
        assert found is not None
        held += found.low <= truth <= found.high
    assert held / 200 > 0.9


def test_the_scale_of_players_is_found_and_one_stays_at_zero() -> None:
    truth = np.array([0.0, 200.0, 350.0, -80.0])
    pairs = np.full((4, 4), 20_000.0)
    np.fill_diagonal(pairs, 0)
    points = pairs / (1 + 10 ** ((truth - truth[:, None]) / 400))
    np.testing.assert_allclose(scale_of(points, pairs, 0), truth, atol=0.5)
    assert scale_of(points, pairs, 2)[2] == 0


def test_a_run_has_one_scale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    anchors = ["minimax:depth=2", "minimax:depth=1"]
    scale = anchor_scale(tmp_path, "tictactoe", anchors)
    assert scale["random"] == 0 and scale["minimax:depth=2"] > scale["minimax:depth=1"] > 0
    share = score("tictactoe", load_agent("minimax:depth=1"), load_agent("random"), SCALE_PAIRS, seed=0)
    assert expected(scale["minimax:depth=1"]) == pytest.approx(share, abs=0.06)
    (tmp_path / "other").mkdir()
    assert anchor_scale(tmp_path / "other", "tictactoe", anchors) == scale

    def play(*_: object) -> dict[str, float]:
        raise AssertionError("played again")

    with monkeypatch.context() as patch:
        patch.setattr(anchor_rating, "_measured", play)
        assert anchor_scale(tmp_path, "tictactoe", anchors) == scale
        with pytest.raises(AssertionError, match="played again"):
            anchor_scale(tmp_path, "connect_four", anchors)
    (tmp_path / SCALE_FILE).write_text('{"game": "tictactoe"')
    assert anchor_scale(tmp_path, "tictactoe", anchors) == scale
