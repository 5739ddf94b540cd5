"""What a checkpoint keeps of the games in hand: rows that wait, what opponents remember, and else other games."""

from __future__ import annotations

import itertools
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lanista.agents.artifact import load_network
from lanista.agents.policy_network import build_network
from lanista.envs import make
from lanista.envs.core import Array, Choice, Turn
from lanista.training.ppo import Batch
from lanista.training.rollout import Rollout
from lanista.training.run import Run, create_run, open_run, train
from lanista.training.runner import BatchRunner
from lanista.training.settings import TrainSettings, new_networks, read_settings

SMALL = {
    "copies": 32, "plies": 5, "minibatch_size": 64, "encoder": "mlp:dim=16", "precision": "float32", "threads": 1,
    "anchor_pairs": 0, "measurements": 2, "checkpoints": 2, "steps": 1200,
}  # fmt: skip


def small(game: str, **changes: Any) -> TrainSettings:
    return read_settings(game, changes=SMALL | {"exact_advantages": False} | changes)


def weights(run: Run) -> torch.Tensor:
    return torch.cat([value.flatten() for value in load_network(run.agent)[0].state_dict().values()])


def broken_off(whole: Run, folder: Path) -> Run:
    """The run as a kill before its last checkpoint leaves it."""
    shutil.copytree(whole.folder, folder)
    shutil.rmtree(open_run(folder).checkpoints()[-1])
    return open_run(folder)


@pytest.mark.parametrize("game", ["kuhn_poker", pytest.param("leduc_poker", marks=pytest.mark.thorough)])
def test_rows_that_wait_for_their_successor_are_learnt_from_after_a_resume(game: str, tmp_path: Path) -> None:
    """With hidden hands each seat is followed along its own turns, so that rows wait at every checkpoint."""
    whole = train(create_run(tmp_path / "whole", small(game)))
    again = train(broken_off(whole, tmp_path / "again"), resume=True)
    assert [path.name for path in again.checkpoints()] == [path.name for path in whole.checkpoints()]
    assert torch.equal(weights(again), weights(whole))


def test_the_exploitability_is_known_after_a_resume(tmp_path: Path) -> None:
    def enough(progress: Any) -> None:
        if progress.share > 0.6:
            raise KeyboardInterrupt

    first = train(create_run(tmp_path, small("kuhn_poker", steps=3000)), report=enough)
    known = json.loads((first.folder / "agent" / "agent.json").read_text())["training"]["nash_conv"]

    def at_once(progress: Any) -> None:
        raise KeyboardInterrupt

    again = train(open_run(tmp_path), resume=True, report=at_once)
    assert json.loads((again.folder / "agent" / "agent.json").read_text())["training"]["nash_conv"] == known


def test_a_run_that_is_over_still_says_how_it_stands(tmp_path: Path) -> None:
    """A search for settings hears a trial's last score so, if a kill came before it was told."""
    whole = train(create_run(tmp_path, small("kuhn_poker")))
    heard: list[Any] = []
    train(open_run(tmp_path), resume=True, report=heard.append)
    assert whole.progress is not None
    assert [(one.steps, one.share, one.nash_conv) for one in heard] == [
        (whole.progress.steps, 1.0, whole.progress.nash_conv)
    ]


def test_what_cannot_be_saved_goes_on_with_other_games() -> None:
    settings = small("gym:CartPole-v1", copies=4)
    network = new_networks(make(settings.game).spec, settings)

    def first_of(runner: BatchRunner) -> Batch:
        return next(iter(runner.sample(0).batches.values()))

    at_start, after, later, same = (BatchRunner(network, settings, 0) for _ in range(4))
    assert at_start.state() == b""
    after.restore(b"", 7)
    later.restore(b"", 8)
    same.restore(b"", 7)
    seen = [next(iter(first_of(one).observation.values())) for one in (at_start, after, later, same)]
    assert np.array_equal(seen[1], seen[3])
    for one, other in itertools.combinations(seen[:3], 2):
        assert not np.array_equal(one[0], other[0])


class Counting:
    """An opponent that remembers how often its seat was asked, and is asked whether it does."""

    name = "counting"

    def __init__(self) -> None:
        self.given: list[list[float]] = []

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        assert turn.legal is not None
        known = np.zeros(len(turn)) if memory is None else memory
        self.given.append(known.tolist())
        return Choice(turn.legal.argmax(axis=1), memory=known + 1)


def test_what_opponents_remember_is_kept() -> None:
    def begun() -> tuple[Rollout, Counting]:
        game, opponent = make("connect_four", copies=4, restart=True), Counting()
        torch.manual_seed(0)
        network = build_network(game.spec, "mlp:dim=8")
        rollout = Rollout(game, network, bfloat16=False, seed=3, opponents=[opponent], opponent_share=1.0)
        return rollout, opponent

    (whole, of_whole), (resumed, of_resumed) = begun(), begun()
    whole.collect(6, 1.0, 0.95)
    resumed.load(whole.save())
    of_whole.given.clear()
    whole.collect(4, 1.0, 0.95)
    resumed.collect(4, 1.0, 0.95)
    assert of_whole.given == of_resumed.given and max(map(max, of_resumed.given)) >= 3


def test_a_batch_of_one_row_is_learnt_from(tmp_path: Path) -> None:
    """It has no deviation to divide advantages by."""
    settings = replace(small("tictactoe"), copies=1, plies=1, minibatch_size=1, steps=12)
    run = train(create_run(tmp_path, settings))
    rows = [json.loads(line) for line in (run.folder / "metrics.jsonl").read_text().splitlines()]
    assert rows and all(np.isfinite(row["policy_loss"]) for row in rows)
    assert torch.isfinite(weights(run)).all()
