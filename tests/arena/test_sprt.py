"""The sequential tests of matches: the ratio against fastchess' and an optimiser's, error rates by simulation."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy.optimize import brentq, minimize

from lanista.agents.sequential_test import log_likelihood_ratio
from lanista.arena.sprt import NORMALISED, RESULTS, Model, Sprt
from lanista.cli.main import main
from lanista.errors import UsageError

SHAPES = {"draws": [0.02, 0.12, 0.72, 0.12, 0.02], "no draws": [0.3, 0.0, 0.4, 0.0, 0.3], "flat": [0.2] * 5}


def elo_of(shares: np.ndarray, model: Model) -> float:
    """The Elo of a distribution of a pair's results, by its definition."""
    mean = float(shares @ RESULTS)
    if model == "logistic":
        return -400 * math.log10(1 / mean - 1)
    variance_of_a_game = 2 * float(shares @ (RESULTS - mean) ** 2)
    return (mean - 0.5) / math.sqrt(variance_of_a_game) * float(NORMALISED)


def with_elo(shape: str, elo: float, model: Model) -> np.ndarray:
    """A distribution of this shape, tilted until it is exactly so strong."""

    def tilted(by: float) -> np.ndarray:
        shares = np.array(SHAPES[shape]) * np.exp(by * RESULTS)
        return np.asarray(shares / shares.sum())

    return tilted(brentq(lambda by: elo_of(tilted(by), model) - elo, -20, 20))


def accepted(test: Sprt, truth: np.ndarray, *, matches: int = 2000, look: int = 4, seed: int = 1) -> np.ndarray:
    """(matches,) whether H1 is accepted, of matches that are all played until they are decided."""
    chance, (low, high) = np.random.default_rng(seed), test.bounds
    counts, going, found = np.zeros((matches, 5)), np.arange(matches), np.zeros(matches, bool)
    while len(going):
        counts[going] += chance.multinomial(look, truth, size=len(going))
        ratio = test.ratio(counts[going])
        found[going[ratio >= high]] = True
        going = going[(ratio > low) & (ratio < high)]
    return found


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("test", "look"),
    [
        (Sprt(0, 100, "logistic"), 4),
        (Sprt(0, 40, "logistic", alpha=0.1), 16),
        (Sprt(100, 200, "logistic"), 4),
        (Sprt(0, 100, "normalized"), 8),
        (Sprt(-60, 60, "normalized", beta=0.1), 16),
    ],
)
def test_of_2000_matches_between_equals_at_most_alpha_are_accepted(test: Sprt, shape: str, look: int) -> None:
    if test.model == "normalized" and shape == "draws":
        look *= 2  # the slowest of them
    wrong = accepted(test, with_elo(shape, test.elo0, test.model), look=look).mean()
    assert 0 < wrong <= test.alpha, "or never an error: it plays far more games than it must, or this cannot fail"


@pytest.mark.parametrize("model", ["logistic", "normalized"])
def test_of_1000_matches_with_the_stronger_at_most_beta_are_refused(model: Model) -> None:
    test = Sprt(0, 100, model)
    missed = 1 - accepted(test, with_elo("flat", 100, model), matches=1000).mean()
    assert 0 < missed <= test.beta


def test_the_ratio_is_what_fastchess_prints() -> None:
    """A finished test of fastchess: `Ptnml(0-2): [0, 0, 2, 0, 37]`, `LLR: 2.96 (-2.94, 2.94) [0.00, 20.00]`."""
    test = Sprt(0, 20)
    assert float(test.ratio([0, 0, 2, 0, 37])) == pytest.approx(2.96, abs=0.005)  # type: ignore[arg-type]
    assert test.bounds == pytest.approx((-2.94, 2.94), abs=0.005)


@pytest.mark.parametrize("counts", [[10, 50, 100, 60, 20], [0, 0, 2, 0, 37], [3, 10, 40, 12, 3], [9, 0, 2, 0, 1]])
def test_the_normalised_likelihoods_are_the_greatest_that_an_optimiser_finds(counts: list[int]) -> None:
    weights = np.maximum(np.array(counts, float), 1e-3)

    def greatest(elo: float) -> float:
        best = []
        for start in (weights / weights.sum(), np.full(5, 0.2)):
            done = minimize(
                lambda p: -float(weights @ np.log(np.maximum(p, 1e-12))),
                start,
                bounds=[(1e-9, 1)] * 5,
                constraints=[
                    {"type": "eq", "fun": lambda p: p.sum() - 1},
                    {
                        "type": "eq",
                        "fun": lambda p: elo_of(np.maximum(p, 1e-12) / p.sum(), "normalized") / 100 - elo / 100,
                    },
                ],
                options={"maxiter": 500, "ftol": 1e-12},
            )
            if done.success:
                best.append(-float(done.fun))
        return max(best)

    assert float(Sprt(10, 60).ratio(np.array(counts))) == pytest.approx(greatest(60) - greatest(10), abs=1e-3)


def test_the_logistic_ratio_is_that_of_the_means() -> None:
    scores = [0.0] * 10 + [0.25] * 50 + [0.5] * 100 + [0.75] * 60 + [1.0] * 20
    wanted = log_likelihood_ratio(scores, 0.5, 1 / (1 + 10 ** (-30 / 400)))
    found = float(Sprt(0, 30, "logistic").ratio(np.array([10, 50, 100, 60, 20])))
    assert found == pytest.approx(wanted, abs=1e-3)


def test_without_pairs_and_with_one_result_alone_there_is_a_ratio() -> None:
    counts = np.vstack([np.zeros(5), 50 * np.eye(5)])
    for model in ("logistic", "normalized"):
        ratio = Sprt(0, 20, model).ratio(counts)
        assert np.isfinite(ratio).all() and ratio[0] == 0 and ratio[1] < 0 < ratio[5]


@pytest.mark.parametrize(
    "words", [(10, 5), (5, 5), (float("nan"), 5), (0, 5, "normalized", 0.6), (0, 5, "logistic", 0.05, 0.0)]
)
def test_no_test_at_all_is_refused(words: tuple[float, ...]) -> None:
    with pytest.raises(UsageError):
        Sprt(*words)  # type: ignore[arg-type]


def test_a_match_stops_when_it_is_decided(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["match", "minimax:depth=2", "first-legal", "--game", "tictactoe", "--sprt", "0,100"]
    assert main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["sprt"]["accepted"] == "H1" and told["sprt"]["llr"] >= told["sprt"]["bounds"][1]
    assert told["games"] == 2 * told["sprt"]["pairs"] < 1000
    assert sum(told["pairs"].values()) == told["sprt"]["pairs"] == told["sprt"]["distinct"]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert "H1 accepted, minimax:depth=2 is +100 or more" in shown and "differ in their moves" not in shown


def test_players_who_repeat_themselves_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["first-legal", "first-legal", "--game", "tictactoe", "--opening-plies", "0", "--sprt", "0,100"]
    assert main(["match", *words, "--model", "logistic"]) == 0
    shown = capsys.readouterr().out
    assert "H0 accepted, first-legal is +0 or less rather than +100" in shown
    assert "only 1 of 16 pairs differ in their moves" in shown


def test_a_match_that_is_not_decided_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["match", "random", "random", "--game", "tictactoe", "--sprt", "0,1", "--games", "40"]) == 0
    assert "not decided; more --games may" in capsys.readouterr().out
    assert main(["match", "random", "random", "--game", "tictactoe", "--sprt", "ten"]) == 2
    assert "two numbers, as in --sprt 0,10, not 'ten'" in capsys.readouterr().err
