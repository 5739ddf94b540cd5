"""The heads against torch's distributions, and their draws against the probabilities they claim."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces

from lanista.agents.action_distributions import draw_normals, open_uniform
from lanista.agents.action_heads import BoxHead, DiscreteHead, MultiDiscreteHead, head_for, head_from
from lanista.envs.draws import mixed
from lanista.errors import UsageError

ROWS = 50_000
DRAWS = mixed(np.arange(ROWS).astype(np.uint64), np.uint64(7))
NVEC = (2, 5, 3)
BOX = BoxHead((2,), (-2.0, -math.inf), (6.0, math.inf))


def repeated(row: list[float]) -> torch.Tensor:
    return torch.tensor(row).expand(ROWS, -1)


def test_normal_draws_have_the_moments_quantiles_and_independence_of_the_normal() -> None:
    normals = draw_normals(DRAWS, 3).astype(float)
    close = 5 / math.sqrt(ROWS)
    assert np.abs(normals.mean(0)).max() < close
    assert np.abs(normals.std(0) - 1).max() < close
    assert np.abs((normals**4).mean(0) - 3).max() < 10 * close  # the fourth power's deviation is sqrt(96)
    for point in (-2.0, -0.5, 1.0, 3.0):
        wanted = 0.5 * (1 + math.erf(point / math.sqrt(2)))
        assert np.abs((normals <= point).mean(0) - wanted).max() < close
    correlation = np.corrcoef(normals.T)
    assert np.abs(correlation - np.eye(3)).max() < close


def test_the_farthest_draws_have_finite_quantiles() -> None:
    ends = open_uniform(np.array([0, 2**64 - 1], np.uint64))
    assert 0 < ends[0] < 1e-15 and 1 - 1e-15 < ends[1] < 1
    assert torch.isfinite(torch.special.ndtri(torch.from_numpy(ends))).all()


def test_a_row_draws_the_same_in_any_batch() -> None:
    parameters = torch.randn(ROWS, 2 * 2, generator=torch.Generator().manual_seed(0))
    logits = torch.randn(ROWS, sum(NVEC), generator=torch.Generator().manual_seed(1))
    for head, values in ((BOX, parameters), (MultiDiscreteHead(NVEC), logits)):
        whole, told = head.distribution(values).sample(DRAWS)
        for rows in (slice(7, 8), slice(100, 133)):
            some, of_some = head.distribution(values[rows]).sample(DRAWS[rows])
            assert np.array_equal(whole[rows], some)
            assert np.array_equal(told[rows], of_some)


def test_categoricals_match_torch_and_their_frequencies_match_the_policy() -> None:
    head = MultiDiscreteHead(NVEC)
    logits = repeated([0.3, -1.0, 0.0, 1.0, -1e9, 0.5, -0.5, 2.0, -1e9, 0.0])
    distribution = head.distribution(logits)
    samples, told = distribution.sample(DRAWS)
    assert samples.shape == (ROWS, 3)
    policy = distribution.policy()
    assert policy is not None and policy.shape == (ROWS, 10)
    frequencies = np.concatenate([np.bincount(samples[:, d], minlength=n) / ROWS for d, n in enumerate(NVEC)])
    assert np.abs(frequencies - policy[0]).max() < 5 * 0.5 / math.sqrt(ROWS)
    assert frequencies[4] == frequencies[8] == 0, "what is illegal was drawn"
    together = np.bincount(samples[:, 0] * 5 + samples[:, 1], minlength=10) / ROWS  # the dimensions are independent
    assert np.abs(together - np.outer(policy[0, :2], policy[0, 2:7]).ravel()).max() < 5 * 0.5 / math.sqrt(ROWS)
    parts: list[Any] = [torch.distributions.Categorical(logits=part) for part in torch.split(logits, list(NVEC), 1)]
    wanted = sum(part.log_prob(torch.from_numpy(samples[:, d])) for d, part in enumerate(parts))
    torch.testing.assert_close(distribution.log_probability(torch.from_numpy(samples)), wanted)
    np.testing.assert_allclose(told, wanted.numpy(), rtol=1e-4, atol=1e-6)
    assert distribution.entropy()[0].item() == pytest.approx(sum(part.entropy()[0].item() for part in parts), rel=1e-5)
    assert distribution.mode()[0].tolist() == [0, 1, 0]


def test_a_gaussian_matches_torch_and_its_draws_match_it() -> None:
    parameters = repeated([0.5, -3.0, math.log(0.2), math.log(2.0)])
    distribution = BOX.distribution(parameters)
    samples, told = distribution.sample(DRAWS)
    assert samples.dtype == np.float32
    close = 5 / math.sqrt(ROWS)
    np.testing.assert_allclose(samples.mean(0), [0.5, -3.0], atol=2 * close)
    np.testing.assert_allclose(samples.std(0), [0.2, 2.0], rtol=close)
    normal: Any = torch.distributions.Normal(torch.tensor([0.5, -3.0]), torch.tensor([0.2, 2.0]))
    wanted = normal.log_prob(torch.from_numpy(samples)).sum(-1)
    torch.testing.assert_close(torch.from_numpy(told), wanted, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(distribution.log_probability(torch.from_numpy(samples)), wanted, rtol=1e-4, atol=1e-4)
    assert distribution.entropy()[0].item() == pytest.approx(normal.entropy().sum().item(), rel=1e-5)
    assert distribution.mode()[0].tolist() == [0.5, -3.0]
    assert distribution.policy() is None


def test_divergences_match_torch() -> None:
    one, other = torch.randn(2, 50, 6, generator=torch.Generator().manual_seed(4))
    kl: Any = torch.distributions.kl_divergence
    discrete, several = DiscreteHead(6), MultiDiscreteHead((4, 2))
    box = head_for(spaces.Box(-1, 1, (3,)), "x")
    categorical = torch.distributions.Categorical
    wanted: dict[Any, Any] = {
        discrete: kl(categorical(logits=one), categorical(logits=other)),
        several: kl(categorical(logits=one[:, :4]), categorical(logits=other[:, :4]))
        + kl(categorical(logits=one[:, 4:]), categorical(logits=other[:, 4:])),
        box: kl(
            torch.distributions.Normal(one[:, :3], one[:, 3:].exp()),
            torch.distributions.Normal(other[:, :3], other[:, 3:].exp()),
        ).sum(1),
    }
    for head, value in wanted.items():
        told = head.distribution(one).divergence(head.distribution(other))
        torch.testing.assert_close(told, value, rtol=1e-4, atol=1e-5)


def test_what_is_played_is_scaled_to_the_bounds_and_clipped() -> None:
    samples = np.array([[-1.0, -100.0], [0.0, 0.25], [1.0, 100.0], [1.5, 0.0], [-9.0, 0.0]], np.float32)
    assert BOX.played(samples).tolist() == [[-2, -100], [2, 0.25], [6, 100], [6, 0], [-2, 0]]
    huge = float(np.finfo(np.float32).max)
    assert BoxHead((1,), (-huge,), (huge,)).played(np.array([[1.0]], np.float32)).tolist() == [[huge]]
    assert BoxHead((2, 1), (0.0, 0.0), (1.0, 1.0)).played(np.zeros((3, 2), np.float32)).shape == (3, 2, 1)


def test_a_temperature_raises_the_distribution_to_a_power() -> None:
    """Differences of log-probabilities are divided by it."""
    generator = torch.Generator().manual_seed(0)
    for head, width in ((DiscreteHead(4), 4), (MultiDiscreteHead((2, 2)), 4), (BOX, 4)):
        parameters = torch.randn(2, width, generator=generator)
        if isinstance(head, BoxHead):
            samples = torch.randn(2, 2, generator=generator), torch.randn(2, 2, generator=generator)
        elif isinstance(head, MultiDiscreteHead):
            samples = torch.tensor([[0, 1], [1, 1]]), torch.tensor([[1, 0], [0, 1]])
        else:
            samples = torch.tensor([0, 3]), torch.tensor([2, 1])
        plain, sharp = head.distribution(parameters), head.distribution(head.tempered(parameters, 0.5))
        apart = plain.log_probability(samples[0]) - plain.log_probability(samples[1])
        assert apart.abs().min() > 1e-3
        torch.testing.assert_close(sharp.log_probability(samples[0]) - sharp.log_probability(samples[1]), 2 * apart)


@pytest.mark.parametrize(
    "space",
    [
        spaces.Discrete(7),
        spaces.MultiDiscrete([3, 2]),
        spaces.Box(-2, 2, (3,), np.float32),
        spaces.Box(np.array([-1, -np.inf], np.float64), np.array([0.1, np.inf], np.float64), dtype=np.float64),
    ],
)
def test_a_head_survives_its_description_and_fits_its_space_alone(space: spaces.Space[Any]) -> None:
    head = head_for(space, "a game")
    again = head_from(json.loads(json.dumps(head.describe(), allow_nan=False)))
    assert again == head
    assert again.fits(space)
    others: tuple[spaces.Space[Any], ...] = (
        spaces.Discrete(6),
        spaces.MultiDiscrete([3, 3]),
        spaces.Box(-2, 1, (3,), np.float32),
    )
    assert not any(again.fits(other) for other in others)


def test_actions_that_no_network_plays_are_refused() -> None:
    for space in (spaces.Box(0, 10**6, (2,), np.int64), spaces.MultiBinary(3), spaces.Box(-1, 1, (0,), np.float32)):
        with pytest.raises(UsageError, match="that no network plays"):
            head_for(space, "a game")


@pytest.mark.parametrize(
    ("description", "says"),
    [
        ({}, "needs one of"),
        ({"num_actions": 3, "nvec": [3]}, "needs one of"),
        ({"num_actions": 0}, "'num_actions'"),
        ({"num_actions": True}, "'num_actions'"),
        ({"nvec": []}, "'nvec'"),
        ({"nvec": [2, 0]}, "'nvec'"),
        ({"nvec": [2**19, 2**19]}, "'nvec'"),
        ({"nvec": "22"}, "'nvec'"),
        ({"box": [2]}, "'shape'"),
        ({"box": {"shape": [2**19, 2**19], "low": [], "high": []}}, "'shape'"),
        ({"box": {"shape": [2], "low": [0], "high": [1, 1]}}, "'low'"),
        ({"box": {"shape": [1], "low": [0], "high": ["1"]}}, "'high'"),
        ({"box": {"shape": [1], "low": [float("nan")], "high": [1]}}, "'low'"),
        ({"box": {"shape": [1], "low": [10**400], "high": [1]}}, "'low'"),
        ({"box": {"shape": [1], "low": [1], "high": [0]}}, "greater"),
    ],
)
def test_a_wrong_description_is_refused_in_one_sentence(description: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says) as caught:
        head_from(description)
    assert "\n" not in str(caught.value)
