"""Memory: sequences equal steps, games end where they end, the state is the whole of it."""

from __future__ import annotations

import pytest
import torch

from lanista.errors import UsageError
from lanista.perception.memory import KINDS, Memory, memory_from

TIME, ROWS, FEATURES = 12, 5, 7


@pytest.fixture(params=KINDS)
def memory(request: pytest.FixtureRequest) -> Memory:
    torch.manual_seed(0)
    return Memory(FEATURES, request.param, 6)


@pytest.fixture
def features() -> torch.Tensor:
    return torch.randn(TIME, ROWS, FEATURES, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def begins() -> torch.Tensor:
    drawn: torch.Tensor = torch.rand(TIME, ROWS, generator=torch.Generator().manual_seed(2)) < 0.2
    return drawn


def test_a_sequence_is_its_steps(memory: Memory, features: torch.Tensor, begins: torch.Tensor) -> None:
    start = torch.randn(ROWS, memory.state_size)
    whole, end = memory(features, start, begins)
    state = start
    for step in range(TIME):
        out, state = memory.step(features[step], state, begins[step])
        torch.testing.assert_close(out, whole[step])
    torch.testing.assert_close(state, end)


def test_a_game_does_not_know_the_game_before(memory: Memory, features: torch.Tensor, begins: torch.Tensor) -> None:
    whole, _ = memory(features, torch.randn(ROWS, memory.state_size), begins)
    assert begins.any()
    for step, row in begins.nonzero().tolist():
        alone, _ = memory(features[step:, row : row + 1], memory.start(1), begins[step:, row : row + 1])
        torch.testing.assert_close(alone[:, 0], whole[step:, row])


def test_a_sequence_cut_in_two_is_the_same(memory: Memory, features: torch.Tensor, begins: torch.Tensor) -> None:
    whole, end = memory(features, memory.start(ROWS), begins)
    first, state = memory(features[:7], memory.start(ROWS), begins[:7])
    second, last = memory(features[7:], state, begins[7:])
    torch.testing.assert_close(torch.cat([first, second]), whole)
    torch.testing.assert_close(last, end)


def test_it_remembers(memory: Memory, features: torch.Tensor) -> None:
    other = features.clone()
    other[0] += 1
    none = torch.zeros(TIME, ROWS, dtype=torch.bool)
    ours, theirs = (memory(values, memory.start(ROWS), none)[0] for values in (features, other))
    assert (ours[-1] - theirs[-1]).abs().max() > 1e-6
    assert torch.equal(memory(features, memory.start(ROWS))[0], ours), "no beginnings are the same as none told"


def test_gradients_reach_every_parameter(memory: Memory, features: torch.Tensor, begins: torch.Tensor) -> None:
    memory(features, memory.start(ROWS), begins)[0].square().sum().backward()
    for name, parameter in memory.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_no_gradient_crosses_the_end_of_a_game(memory: Memory, features: torch.Tensor) -> None:
    features = features.clone().requires_grad_()
    begins = torch.zeros(TIME, ROWS, dtype=torch.bool)
    begins[6, 2] = True
    memory(features, memory.start(ROWS), begins)[0][6:, 2].sum().backward()
    assert features.grad is not None
    assert features.grad[:6, 2].abs().sum() == 0
    assert features.grad[6:, 2].abs().sum() > 0


def test_described_and_made_again(memory: Memory, features: torch.Tensor) -> None:
    again = memory_from(memory.describe())
    again.load_state_dict(memory.state_dict())
    assert torch.equal(again(features, again.start(ROWS))[0], memory(features, memory.start(ROWS))[0])


def test_bfloat16_stays_near(memory: Memory, features: torch.Tensor, begins: torch.Tensor) -> None:
    fine = memory(features, memory.start(ROWS), begins)[0]
    with torch.autocast("cpu", torch.bfloat16):
        rough = memory(features, memory.start(ROWS), begins)[0].float()
    assert (rough - fine).abs().max() < 0.1 * fine.abs().max()


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(UsageError, match="gru or lstm, not 'rnn'"):
        Memory(3, "rnn")
    with pytest.raises(UsageError, match="at least 1"):
        Memory(3, dim=0)
    with pytest.raises(UsageError, match="needs 'kind'"):
        memory_from({"kind": "gru", "features": -1, "dim": 3})
