"""Networks with a memory: what is learnt along sequences is what was played, and no game knows another."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch

import lanista
from lanista.agents.artifact import load_network, save_agent
from lanista.agents.contestant import load_agent
from lanista.agents.kinds.network import NetworkAgent
from lanista.agents.match import score
from lanista.agents.policy_network import PolicyNetwork, build_network, network_from, remember
from lanista.envs import make
from lanista.envs.loop import play
from lanista.errors import UsageError
from lanista.training.categorical_loss import KL
from lanista.training.minibatches import Sequences
from lanista.training.ppo import Batch, PPOSettings, loss, make_optimizer, update
from lanista.training.rollout import Rollout

# One with ends at different plies and two seats, one with hidden cards, one of a door that is cut off by a limit.
GAMES = ("tictactoe", "leduc_poker", "gym:CartPole-v1?max_episode_steps=11")
SETTINGS = PPOSettings(precision="float32", symmetry=False, epochs=1, minibatch_size=64, memory_steps=4)


class Repeat(gymnasium.Env[np.ndarray, int]):
    """Shows one of three cards and asks which it showed the step before: without memory it is a guess."""

    observation_space = gymnasium.spaces.Box(0, 1, (3,), np.float32)
    action_space: gymnasium.spaces.Space[Any] = gymnasium.spaces.Discrete(3)
    steps = 16

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self.cards = self.np_random.integers(3, size=self.steps + 1)
        self.at = 0
        return self._seen(), {}

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        right = self.at > 0 and int(action) == self.cards[self.at - 1]
        self.at += 1
        return self._seen(), float(right), self.at == self.steps, False, {}

    def _seen(self) -> np.ndarray:
        card: np.ndarray = np.eye(3, dtype=np.float32)[self.cards[self.at]]
        return card


gymnasium.register("LanistaRepeat-v0", f"{__name__}:Repeat")


def network_for(name: str, memory: str = "gru:dim=8") -> PolicyNetwork:
    """A fresh one whose policy is not uniform."""
    torch.manual_seed(0)
    network = build_network(make(name, 1).spec, "mlp:dim=8", memory=memory)
    with torch.no_grad():
        network.policy.weight.mul_(100)
    return network.eval()


def collected(name: str, memory: str, **options: Any) -> tuple[PolicyNetwork, list[Batch]]:
    network = network_for(name, memory)
    rollout = Rollout(make(name, 16), network, bfloat16=False, seed=1, **options)
    return network, [rollout.collect(9, 0.9, 0.8) for _ in range(4)]


@pytest.mark.parametrize("opponents", [0.0, 0.5])
@pytest.mark.parametrize("memory", ["gru:dim=8", "lstm:dim=8"])
@pytest.mark.parametrize("name", GAMES)
def test_learnt_along_sequences_as_it_was_played(name: str, memory: str, opponents: float) -> None:
    """The probability of every action is the same, whatever the sequences: after ends, cuts, and between batches."""
    options = {"opponents": [load_agent("random")], "opponent_share": opponents} if opponents else {}
    network, batches = collected(name, memory, **options)
    for batch in batches:
        assert batch.stream is not None and batch.memory is not None
        for most in (1, 4, 1000):
            sequences = Sequences(batch.stream, batch.memory, most)
            assert int(sequences.lengths.sum()) == len(batch.actions) and int(sequences.lengths.max()) <= most
            pick = sequences.pick(torch.randperm(len(sequences.starts), generator=torch.Generator().manual_seed(most)))
            assert sorted(pick.rows.tolist()) == list(range(len(batch.actions)))
            at = pick.rows.numpy()
            parts = loss(
                network,
                {key: torch.from_numpy(value[at]) for key, value in batch.observation.items()},
                None if batch.legal is None else torch.from_numpy(batch.legal[at]),
                torch.from_numpy(batch.actions[at]),
                torch.from_numpy(batch.log_probability[at]),
                torch.zeros(len(at)),
                torch.zeros(len(at)),
                SETTINGS,
                0.0,
                pick=pick,
            )
            assert float(parts.parts[KL]) == pytest.approx(0, abs=1e-6)
    assert sum(len(batch.actions) for batch in batches) > 300
    fresh = sum(int((np.abs(np.asarray(batch.memory)).sum(1) == 0).sum()) for batch in batches)
    assert fresh > 16, "games ended, and the next began with nothing remembered"


@pytest.mark.parametrize("name", GAMES)
def test_what_is_played_depends_on_the_steps_before_in_that_game_alone(name: str) -> None:
    """Each policy in play is that of the network stepped by hand through this seat's turns of this game."""
    network = network_for(name)
    agent = NetworkAgent(network, "one", name, temperature=1.0, symmetry=False)
    game = make(name, 4)
    game.reset(3)
    seen: dict[tuple[int, int], list[Any]] = defaultdict(list)
    compared = 0
    for number, ply in enumerate(play(game, [agent], seed=5)):
        (answer,) = ply.answers
        for row in range(len(ply.turn)):
            seat = (int(ply.turn.games[row]), int(ply.turn.players[row]))
            seen[seat].append(ply.turn.take(np.array([row])))
            state = None
            for turn in seen[seat]:
                parameters, _, after = remember(network, turn, False, state)
                assert after is not None
                state = after.numpy()
            policy = np.asarray(network.head.distribution(parameters).policy())
            np.testing.assert_allclose(np.asarray(answer.choice.policy)[row], policy[0], atol=1e-5)
            compared += len(seen[seat]) > 1
        if number == 25:
            break
    assert compared > 40 and len(seen) > 8


def test_sequences_are_cut_between_seats_and_at_their_length() -> None:
    stream = np.array([4, 4, 4, 4, 4, 7, 9, 9])
    memory = np.arange(8, dtype=np.float32)[:, None]
    sequences = Sequences(stream, memory, 2)
    assert sequences.starts.tolist() == [0, 2, 4, 5, 6]
    assert sequences.lengths.tolist() == [2, 2, 1, 1, 2]
    pick = sequences.pick(torch.tensor([4, 0, 3]))
    assert pick.rows.tolist() == [6, 0, 5, 7, 1]
    assert pick.counts is not None and pick.memory is not None
    assert pick.counts.tolist() == [[True, True, True], [True, True, False]]
    assert pick.memory[:, 0].tolist() == [6, 0, 5]


def test_an_update_learns_from_every_sequence_and_reaches_every_weight() -> None:
    network, batches = collected("leduc_poker", "lstm:dim=8")
    before = {name: value.clone() for name, value in network.state_dict().items()}
    settings = PPOSettings(
        precision="float32", epochs=2, minibatch_size=48, memory_steps=4, micro_batch_size=16, kl_coefficient=0.1
    )
    told = update(network, make_optimizer(network, settings), batches[0], settings, 0.0, 1)
    assert np.isfinite(list(told.values())).all()
    assert all(not torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_parts_of_a_minibatch_make_the_same_step_as_all_at_once() -> None:
    network, batches = collected("leduc_poker", "gru:dim=8")
    after = []
    for at_once in (4096, 8):
        copy = network_from(network.describe())
        copy.load_state_dict(network.state_dict())
        settings = PPOSettings(precision="float32", epochs=1, memory_steps=4, micro_batch_size=at_once)
        update(copy, make_optimizer(copy, settings), batches[0], settings, 0.0, 1)
        after.append(torch.cat([value.flatten() for value in copy.state_dict().values()]))
    torch.testing.assert_close(after[0], after[1], atol=1e-4, rtol=0)


@pytest.mark.parametrize("memory", ["gru:dim=8", "lstm:dim=8"])
def test_an_agent_with_a_memory_is_saved_and_plays(tmp_path: Path, memory: str) -> None:
    network = network_for("leduc_poker", memory)
    save_agent(tmp_path / "agent", network, "leduc_poker", "float32", {})
    loaded = load_network(tmp_path / "agent")[0]
    assert torch.equal(loaded.memory.start(2), network.memory.start(2))  # type: ignore[union-attr]
    assert all(torch.equal(value, loaded.state_dict()[name]) for name, value in network.state_dict().items())
    about = json.loads((tmp_path / "agent" / "agent.json").read_text())
    assert about["format"] == 2
    assert 0 <= score("leduc_poker", load_agent(str(tmp_path / "agent")), load_agent("random"), 4, seed=0) <= 1
    about["network"]["memory"]["features"] = 3
    with pytest.raises(UsageError, match="must be an object that reads 8 features"):
        network_from(about["network"])
    about["network"]["memory"] = {"kind": "gro", "features": 8, "dim": 8}
    with pytest.raises(UsageError, match="gru or lstm"):
        network_from(about["network"])
    agent = NetworkAgent(network, "one", "leduc_poker")
    game = make("leduc_poker", 1)
    game.reset(0)
    with pytest.raises(UsageError, match="has a memory"):
        agent.probabilities(game.turn())


@pytest.mark.parametrize(
    ("words", "says"), [("gro", "did you mean 'gru'"), ("gru:width=3", "width"), ("lstm:dim=0", "at least 1")]
)
def test_memories_that_cannot_be_are_refused(tmp_path: Path, words: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        lanista.train("tictactoe", steps=100, out=tmp_path / "run", memory=words)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize("memory", ["gru", "lstm", ""])
def test_a_game_that_needs_memory_is_learnt_with_it_alone(tmp_path: Path, memory: str) -> None:
    run = lanista.train(
        "gym:LanistaRepeat-v0", steps=80_000, out=tmp_path, memory=memory, copies=64, plies=32, minibatch_size=512,
        epochs=4, gamma=0.9, learning_rate=3e-3, encoder="mlp:dim=32,depth=1", threads=1,
    )  # fmt: skip
    assert run.progress is not None
    reached = run.progress.metrics["first_player_return"] / (Repeat.steps - 1)
    assert reached > 0.9 if memory else reached < 0.45
