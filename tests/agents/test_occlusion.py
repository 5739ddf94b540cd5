"""What a network heeds: parts that it does not read weigh nothing, and those that decide weigh what they should."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces

from lanista.agents.occlusion import occlusion
from lanista.agents.policy_network import PolicyNetwork, build_network, evaluate
from lanista.envs import make
from lanista.envs.core import Array, GameSpec, Role, Turn
from lanista.errors import UsageError
from lanista.perception.inputs.words import SPACE, tokens


def spec_of(observation: Mapping[str, spaces.Space[Any]]) -> GameSpec:
    role = Role(spaces.Dict(dict(observation)), spaces.Discrete(3))
    return GameSpec("seen", 1, (role,), (0,), "single-player", False, False, None, (-math.inf, math.inf))


def turn_of(observation: Mapping[str, Array]) -> Turn:
    one = np.zeros(1, np.int64)
    return Turn(one, one, one, one, np.zeros(1, np.uint64), observation, np.ones((1, 3), bool))


def asked(network: PolicyNetwork, turn: Turn, action: int) -> float:
    """The log odds of an action, in bits."""
    chance = torch.softmax(evaluate(network, turn, False)[0].double(), -1)[0, action]
    return float(torch.log2(chance / (1 - chance)))


def network_for(spec: GameSpec) -> PolicyNetwork:
    torch.manual_seed(0)
    network = build_network(spec).eval()
    torch.nn.init.normal_(network.policy.weight, 0, 0.5)  # of an agent that has learned something
    return network


def test_each_part_weighs_the_odds_with_it_over_those_without() -> None:
    observation = {
        "map": spaces.Box(0, 10, (3, 7, 7), np.uint8), "mission": SPACE,
        "speech": spaces.Box(-32768, 32767, (8000,), np.int16),
    }  # fmt: skip
    network = network_for(spec_of(observation))
    chance = np.random.default_rng(0)
    sound = np.zeros(8000, np.int16)
    sound[2000:6000] = chance.integers(-20_000, 20_000, 4000)
    seen = {
        "map": chance.integers(0, 10, (1, 3, 7, 7)).astype(np.uint8),
        "mission": tokens("go to the red ball")[None].copy(),
        "speech": sound[None],
    }
    found = occlusion(network, turn_of(seen), 0, 1)
    whole = asked(network, turn_of(seen), 1)
    assert found.probability == pytest.approx(1 / (1 + 2**-whole), abs=1e-4)
    assert found.cells["map"].shape == (7, 7) and found.words["mission"].shape == (5,)
    covered = seen["map"].copy()
    covered[0, :, 2, 5] = 0
    assert found.cells["map"][2, 5] == pytest.approx(
        whole - asked(network, turn_of({**seen, "map": covered}), 1), abs=1e-3
    )
    shorter = {**seen, "mission": tokens("go to the ball")[None].copy()}
    assert found.words["mission"][3] == pytest.approx(whole - asked(network, turn_of(shorter), 1), abs=1e-3)
    spans = found.spans["speech"]
    assert (spans[:, 1] - spans[:, 0] == 800).all() and spans[:, 1].min() > 2000 and spans[:, 0].max() < 6000
    quiet = seen["speech"].copy()
    quiet[0, slice(*spans[3])] = 0
    assert found.stretches["speech"][3] == pytest.approx(
        whole - asked(network, turn_of({**seen, "speech": quiet}), 1), abs=2e-3
    )


def test_what_is_not_read_weighs_nothing_and_pictures_are_covered_in_squares() -> None:
    network = network_for(spec_of({"map": spaces.Box(0, 255, (3, 56, 56), np.uint8), "mission": SPACE}))
    picture = np.random.default_rng(0).integers(1, 255, (1, 3, 56, 56)).astype(np.uint8)
    found = occlusion(network, turn_of({"map": picture, "mission": tokens("")[None].copy()}), 0, 0)
    assert found.cells["map"].shape == (7, 7) and found.words["mission"].shape == (0,)
    assert np.abs(found.cells["map"]).max() > 1e-4
    picture[0, :, 8:16, 24:32] = 0  # it is black already
    found = occlusion(network, turn_of({"map": picture, "mission": tokens("")[None].copy()}), 0, 0)
    assert abs(found.cells["map"][1, 3]) < 1e-4


def test_of_actions_that_are_not_counted_nothing_can_be_said() -> None:
    pendulum = make("gym:Pendulum-v1", 1)
    network = build_network(pendulum.spec).eval()
    with pytest.raises(UsageError, match="actions that are counted"):
        occlusion(network, pendulum.turn(), 0, 0)
