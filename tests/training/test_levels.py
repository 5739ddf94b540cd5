"""Training on levels: what is trained on and what is held out, how episodes score, and going on after a stop."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from level_environments import CORRIDOR, DRIFTING, SAME, Corridor, shown_levels
from safetensors.torch import load_file

from lanista.agents.artifact import load_network
from lanista.agents.contestant import load_agent
from lanista.agents.levels import HELD_OUT, check_levels, held_out_levels, mean_return, returns_on, training_levels
from lanista.cli.main import main
from lanista.envs import make
from lanista.errors import UsageError
from lanista.plugs import plugs
from lanista.training import learner, ppo
from lanista.training.curriculum import CURRICULA, Scores
from lanista.training.level_play import level_play
from lanista.training.ppo import Batch
from lanista.training.rollout import Rollout
from lanista.training.run import Progress, Run, create_run, open_run, prolonged, train
from lanista.training.settings import new_network, read_settings

LEVELS = 20
SMALL = {
    "copies": 16,
    "plies": 8,
    "epochs": 2,
    "minibatch_size": 64,
    "encoder": "mlp:dim=16",
    "levels": LEVELS,
    "curriculum": "plr",
    "measurements": 2,
    "measured_levels": 12,
    "checkpoints": 1,
}
BATCH = 16 * 8
ALIGNED = f"{CORRIDOR}?length=4"  # every game ends with a batch


def of(game: str, **changes: Any) -> Any:
    return read_settings(game, changes=SMALL | changes)


def curriculum_of(run: Run) -> dict[str, torch.Tensor]:
    return load_file(run.checkpoints()[-1] / "resume" / "curriculum.safetensors")


def rows_of(run: Run) -> list[dict[str, float]]:
    return [json.loads(line) for line in (run.folder / "metrics.jsonl").read_text().splitlines()]


def assert_all_drawn_once(run: Run) -> None:
    """As many levels were drawn as games ended and are under way: none twice, none forgotten."""
    games = sum(row["games"] for row in rows_of(run))
    under_way = run.settings.copies * max(run.settings.runners, 1)
    assert int(curriculum_of(run)["drawn"].sum()) == games + under_way


@pytest.fixture
def trained_on(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """The levels of all rows that a learner gets, as they are seen."""
    levels: set[int] = set()

    def spy(network: Any, optimizer: Any, batch: Batch, *rest: Any) -> dict[str, float]:
        levels.update(shown_levels(batch.observation["observation"]))
        return update(network, optimizer, batch, *rest)

    update = ppo.update
    monkeypatch.setattr(learner, "update", spy)
    return levels


@pytest.mark.parametrize("curriculum", plugs(CURRICULA))
def test_held_out_levels_are_measured_and_never_trained_on(
    curriculum: str, trained_on: set[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: set[int] = set()
    reset = Corridor.reset

    def spy(self: Corridor, *, seed: int | None = None, options: Any = None) -> Any:
        assert seed is not None
        begun.add(seed)
        return reset(self, seed=seed)

    monkeypatch.setattr(Corridor, "reset", spy)
    run = train(create_run(tmp_path, of(CORRIDOR, curriculum=curriculum, steps=6 * BATCH)))
    assert trained_on == set(range(LEVELS)), "all training levels, and no other"
    assert {level for level in begun if level >= HELD_OUT} == set(held_out_levels(12).tolist())
    assert {level for level in begun if level < HELD_OUT} == set(range(LEVELS))
    assert_all_drawn_once(run)
    progress = run.progress
    assert progress is not None and set(progress.returns) == {"training", "held-out"}
    last = rows_of(run)[-1]
    for kind, found in progress.returns.items():
        name = f"return/{kind.replace('-', '_')}_levels"
        assert found.games == 12
        assert (last[name], last[f"{name}_low"], last[f"{name}_high"]) == (found.mean, found.low, found.high)
        assert 0 < found.low < found.mean < found.high <= 7
    assert last["levels_drawn"] == 1.0
    about = json.loads((run.folder / "agent" / "agent.json").read_text())
    assert about["training"]["returns"]["held-out"]["games"] == 12


def test_a_resumed_run_equals_an_unbroken_one(tmp_path: Path) -> None:
    """The same curriculum, the same weights: games end with each batch, so nothing is lost with those under way."""
    settings = of(ALIGNED, steps=6 * BATCH)

    def interrupt(progress: Progress) -> None:
        if progress.steps == 3 * BATCH:
            os.kill(os.getpid(), signal.SIGINT)

    whole = train(create_run(tmp_path / "whole", settings))
    parts = train(create_run(tmp_path / "parts", settings), report=interrupt)
    assert parts.interrupted
    assert_all_drawn_once(parts)
    parts = train(open_run(tmp_path / "parts"), resume=True)
    assert not parts.interrupted
    for key, value in curriculum_of(whole).items():
        torch.testing.assert_close(curriculum_of(parts)[key], value, rtol=0, atol=1e-5, equal_nan=True, msg=key)
    old, new = (load_network(run.agent)[0].state_dict() for run in (whole, parts))
    for key, value in old.items():
        torch.testing.assert_close(new[key], value, rtol=0, atol=1e-5, msg=key)
    assert_all_drawn_once(parts)


def test_games_under_way_begin_again_on_their_levels_and_count_once(tmp_path: Path) -> None:
    run = train(create_run(tmp_path, of(CORRIDOR, steps=3 * BATCH)))
    assert_all_drawn_once(run)
    longer = train(prolonged(open_run(tmp_path), steps=5 * BATCH, minutes=0), resume=True)
    assert [row["steps"] for row in rows_of(longer)] == [BATCH * n for n in range(1, 6)]
    assert_all_drawn_once(longer)


@pytest.mark.slow  # processes that play are tried by default in test_run.py
def test_scores_of_all_runners_flow_into_one_curriculum(trained_on: set[int], tmp_path: Path) -> None:
    run = train(create_run(tmp_path, of(CORRIDOR, steps=6 * BATCH, runners=2)))
    assert trained_on <= set(range(LEVELS))
    assert_all_drawn_once(run)
    state = curriculum_of(run)
    assert int((~state["scores"].isnan()).sum()) > LEVELS // 2
    assert (state["scores"].isnan() | (state["drawn"] > 0)).all()
    assert int(state["last"].max()) == int(state["drawn"].sum())


def test_a_score_is_the_mean_of_absolute_advantages() -> None:
    """Against the batch itself, over games that run on from one batch into the next."""
    settings = of(CORRIDOR, curriculum="uniform", copies=3)
    game = make(CORRIDOR, 3, restart=False)
    levels = level_play(settings, seed=5)
    assert levels is not None
    learnt: list[tuple[int, float]] = []

    def learn(finished: Any, scores: Scores) -> None:
        learnt.extend(zip(finished.tolist(), scores.tolist(), strict=True))

    rollout = Rollout(game, new_network(game.spec, settings), bfloat16=False, seed=5, levels=levels)
    rows: list[tuple[int, float, int]] = []  # level, |advantage|, count of a row's game
    for _ in range(6):
        batch = rollout.collect(4, 0.9, 0.8)
        news = levels.news()
        learn(news.finished, news.scores)
        seen = batch.observation["observation"]
        for row, advantage in zip(seen, batch.advantages, strict=True):
            rows.append((int(row[0]), abs(float(advantage)), int(row[4])))
    # Rows are by plies, then by copies: every third is of one copy, in order.
    expected: list[tuple[int, float]] = []
    for copy in range(3):
        mine: list[float] = []
        for level, advantage, count in rows[copy::3]:
            mine.append(advantage)
            if count + 1 == 3 + level % 5:
                expected.append((level, float(np.mean(mine))))
                mine = []
    assert len(learnt) > 8
    learnt.sort()
    expected.sort()
    assert [level for level, _ in learnt] == [level for level, _ in expected]
    np.testing.assert_allclose([score for _, score in learnt], [score for _, score in expected], rtol=1e-5)


def test_a_level_played_twice_is_not_the_same_game_twice() -> None:
    settings = of(CORRIDOR, levels=1, copies=4, curriculum="uniform")
    game = make(CORRIDOR, 4, restart=False)
    levels = level_play(settings, seed=5)
    assert levels is not None
    levels.start(game)  # type: ignore[arg-type]
    assert len(set(game.turn().draws.tolist())) == 4


def test_which_levels_are_measured() -> None:
    assert training_levels(200, 4).tolist() == [0, 50, 100, 150]
    assert training_levels(3, 100).tolist() == [0, 1, 2]
    assert held_out_levels(2).tolist() == [HELD_OUT, HELD_OUT + 1]
    with pytest.raises(UsageError, match="held-out levels"):
        held_out_levels(2**31)


def test_returns_on_levels_are_each_levels_own() -> None:
    levels = np.array([7, 2, HELD_OUT + 1, 4, 2])
    returns = returns_on(CORRIDOR, load_agent("first-legal"), levels, np.arange(5), copies=2)
    assert returns.tolist() == [0.0, 5.0, 0.0, 7.0, 5.0], "an even level pays first-legal for each of its steps"
    found = mean_return(returns)
    assert found.mean == pytest.approx(3.4) and found.games == 5
    half = 2.776445 * np.std(returns, ddof=1) / np.sqrt(5)  # Student's t with 4 degrees of freedom
    assert found.low == pytest.approx(3.4 - half, rel=1e-4) and found.high == pytest.approx(3.4 + half, rel=1e-4)


def test_games_that_the_environment_broke_do_not_count() -> None:
    found = mean_return(np.array([1.0, np.nan, 3.0], np.float32))
    assert (found.mean, found.games) == (2.0, 2)
    with pytest.raises(RuntimeError, match="every game"):
        mean_return(np.full(2, np.nan, np.float32))


@pytest.mark.parametrize(
    ("game", "changes", "said"),
    [
        ("tictactoe", {}, "tictactoe cannot choose one"),
        (SAME, {}, "is the same from every seed"),
        (DRIFTING, {}, "begins differently each time"),
        (CORRIDOR, {"curriculum": "prl"}, "did you mean 'plr'?"),
        (CORRIDOR, {"levels": 10**7 + 1}, "--levels is at most 10,000,000, not 10,000,001"),
    ],
)
def test_runs_on_levels_that_cannot_be(game: str, changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as told:
        create_run(tmp_path / "run", of(game, steps=BATCH, **changes))
    assert said in str(told.value) and "\n" not in str(told.value)
    assert not (tmp_path / "run").exists()


def test_a_curriculum_needs_levels() -> None:
    with pytest.raises(UsageError, match="say --levels N"):
        read_settings(CORRIDOR, changes={"curriculum": "plr"})
    check_levels(CORRIDOR)


def test_a_damaged_curriculum_is_said(tmp_path: Path) -> None:
    run = train(create_run(tmp_path, of(ALIGNED, steps=BATCH)))
    (run.checkpoints()[-1] / "resume" / "curriculum.safetensors").write_bytes(b"cut short")
    with pytest.raises(UsageError, match=r"the checkpoint .* is damaged"):
        train(prolonged(open_run(tmp_path), steps=2 * BATCH, minutes=0), resume=True)


def test_the_command_line_trains_on_levels_and_scores(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(tmp_path / "run")
    small = [f"{key}={value}" for key, value in SMALL.items() if key not in ("levels", "curriculum")]
    words = ["train", CORRIDOR, "--levels", str(LEVELS), "--curriculum", "plr:staleness=0.3", "--steps", str(BATCH)]
    assert main([*words, "--out", folder, "--set", *small]) == 0
    out = capsys.readouterr().out
    assert "on 12 training levels" in out and "on 12 held-out levels" in out
    assert f"match '{folder}?temperature=1' --game {CORRIDOR}" in out
    assert main(["train", "--resume", folder, "--levels", "3"]) == 2
    assert "--levels is for a new run" in capsys.readouterr().err
    score = ["match", "first-legal", folder, "--game", CORRIDOR, "--games", "6"]
    assert main([*score, "--first-level", "0", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["agents"][0]["returns"] == [3.0, 0.0, 5.0, 0.0, 7.0, 0.0]
    assert told["difference"]["mean"] == pytest.approx(told["agents"][0]["mean"] - told["agents"][1]["mean"])
    assert main(score) == 0
    assert f"on the levels {HELD_OUT} to {HELD_OUT + 5}, each once" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize("curriculum", plugs(CURRICULA))
def test_what_is_learnt_on_some_levels_holds_on_others(curriculum: str, tmp_path: Path) -> None:
    """A pole that begins a little differently on each level is held up from beginnings that were never trained on."""
    changes = {"levels": 100, "curriculum": curriculum, "steps": 100_000, "measurements": 1}
    run = train(create_run(tmp_path, read_settings("gym:CartPole-v1", changes=changes)))
    assert run.progress is not None and run.progress.returns["held-out"].mean > 300
