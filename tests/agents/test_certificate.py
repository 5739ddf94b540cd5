"""The share of best moves: the solvers beside our search, and agents whose share is known."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lanista.agents.certificate import certify, draw_positions, random_share, solver_of
from lanista.agents.contestant import load_agent
from lanista.cli.main import main
from lanista.errors import UsageError

COUNT = 150


def test_perfect_play_is_certified_and_random_play_as_it_should() -> None:
    positions = draw_positions("tictactoe", COUNT, plies=(3, 7), seed=3)
    assert len(positions.moves) == COUNT and positions.plies.min() >= 3
    spread = np.nanmax(positions.values, 1) - np.nanmin(positions.values, 1)
    assert (spread > 0).all(), "a position in which nothing matters was drawn"
    perfect = certify(load_agent("minimax:depth=9"), positions)
    assert perfect.share[0] == 1.0 and perfect.soonest[0] == 1.0
    _, low, high = certify(load_agent("random"), positions).share
    assert low < random_share(positions) < high
    assert sum(count for *_, count in perfect.by_ply().values()) == COUNT


def test_tictactoe_is_a_draw_and_corners_are_answered_in_the_middle() -> None:
    values, _ = solver_of("tictactoe")
    assert values([[]])[0].tolist() == [0] * 9
    answers = values([[0]])[0]
    assert np.isnan(answers[0]) and answers[4] == 0 and (np.delete(answers, [0, 4]) == -1).all()
    assert values([[0, 3, 1, 4]])[0][2] == 1


def test_the_solver_of_connect_four_agrees_with_our_search() -> None:
    pytest.importorskip("bitbully", reason="BitBully is not installed")
    positions = draw_positions("connect_four", 40, plies=(28, 34), seed=1)
    found = certify(load_agent("minimax:depth=14"), positions)  # sees the end of the game from there
    assert found.share[0] == 1.0
    assert found.soonest[0] == 1.0, "our search wins as soon and loses as late as can be"
    weak = certify(load_agent("random"), positions)
    assert weak.share[2] < 0.9


def test_games_without_a_solver_are_refused() -> None:
    with pytest.raises(UsageError, match="no exact solver of chess"):
        draw_positions("chess", 10)


@pytest.mark.parametrize("plies", [(0, 0), (8, 8)])
def test_plies_where_nothing_matters_are_said(plies: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match=f"no position after {plies[0]} to {plies[1]} random plies has a move that"):
        draw_positions("tictactoe", 3, plies)


def test_the_command(capsys: pytest.CaptureFixture[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    plot = tmp_path_factory.mktemp("plot") / "share.svg"
    words = [
        "certify",
        "minimax:depth=9",
        "--game",
        "tictactoe",
        "--positions",
        "50",
        "--plies",
        "4",
        "7",
        "--plot",
        str(plot),
        "--json",
    ]
    assert main(words) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["best"]["share"] == 1.0 and 0 < told["random"] < 1 and plot.read_text().startswith("<?xml")
    assert main(["certify", "random", "--game", "kuhn_poker", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["nash_conv"] == pytest.approx(11 / 12)
    for words, said in (
        (["random"], "say which game"),
        (["random", "--game", "chess"], "no exact solver of chess"),
        (["first-legal", "--game", "kuhn_poker"], "does not tell the probabilities"),
        (["random", "--game", "tictactoe", "--positions", "0"], "more than 0"),
        (["random", "--game", "kuhn_poker", "--plies", "1", "2"], "has none such"),
    ):
        assert main(["certify", *words]) == 2
        assert said in capsys.readouterr().err
