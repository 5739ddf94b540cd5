"""Minibatches: every row once a pass, and rows of one sound together where that saves reading it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium import spaces

from lanista.perception.fusion import build_fusion
from lanista.training.minibatches import Cut, minibatches

ROWS, CUT = 2560, Cut(minibatch=640, at_once=320, memory_steps=32)


def passed(repeats: torch.Tensor | None, seed: int = 0) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.cat([p.rows for p in each]) for each in minibatches(ROWS, CUT, None, repeats, generator)]


def sounds_a_minibatch(repeats: torch.Tensor, told: bool) -> float:
    return float(np.mean([len(set(repeats[rows].tolist())) for rows in passed(repeats if told else None)]))


def test_every_row_is_learnt_from_once_a_pass() -> None:
    for repeats in (None, torch.arange(ROWS) // 5):
        some = passed(repeats)
        assert [len(rows) for rows in some] == [640] * 4
        assert torch.equal(torch.cat(some).sort().values, torch.arange(ROWS))
        assert not torch.equal(torch.cat(some), torch.cat(passed(repeats, seed=1)))


def test_a_sound_is_read_in_as_few_minibatches_as_can_be() -> None:
    repeats = (torch.arange(ROWS) // 5)[torch.randperm(ROWS, generator=torch.Generator().manual_seed(0))]
    assert sounds_a_minibatch(repeats, told=True) <= 640 / 5 + 2
    assert sounds_a_minibatch(repeats, told=False) > 300


@pytest.mark.parametrize("sounds", [6, ROWS])
def test_few_sounds_and_sounds_of_one_row_are_shuffled_row_by_row(sounds: int) -> None:
    """Six missions must not be learnt one after the other; what changes at every step is read as often anyway."""
    repeats = torch.arange(ROWS) % sounds
    assert all(torch.equal(a, b) for a, b in zip(passed(repeats), passed(None), strict=True))


def test_sounds_that_are_learnt_to_be_heard_are_told_apart() -> None:
    space = spaces.Dict(
        {"speech": spaces.Box(-32768, 32767, (4000,), np.int16), "map": spaces.Box(0, 10, (3, 5, 5), np.uint8)}
    )
    fusion = build_fusion(space, {"speech": "speech_crnn:hidden=8,channels=8", "map": "symbol_cnn:dim=8"})
    chance = np.random.default_rng(0)
    said = chance.integers(-999, 999, (3, 4000)).astype(np.int16)
    rows = {
        "speech": torch.from_numpy(said[[0, 1, 0, 2, 1]]),
        "map": torch.from_numpy(chance.integers(0, 10, (5, 3, 5, 5)).astype(np.uint8)),
    }
    told = fusion.repeats(rows)
    assert told is not None
    same = told[:, None] == told[None]
    assert torch.equal(same, torch.tensor([[a == b for b in (0, 1, 0, 2, 1)] for a in (0, 1, 0, 2, 1)]))
    fusion.freeze(["speech"])
    assert fusion.repeats(rows) is None
