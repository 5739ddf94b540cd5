"""A network for each role: what each learns from is its own, and all of it is kept and found again."""

from __future__ import annotations

import json
import pickle
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from role_environments import Haggle, Signals, registered

import lanista
from lanista.agents.artifact import load_networks
from lanista.agents.contestant import load_agent
from lanista.agents.match import Scheduled, play_games
from lanista.agents.role_networks import RoleNetworks, build_networks, named_by_role, role_names
from lanista.envs import make
from lanista.envs.core import Agent
from lanista.envs.doors._tables import TableGame
from lanista.errors import UsageError
from lanista.training.experience import mover_view
from lanista.training.league import Member
from lanista.training.league_play import load_member
from lanista.training.learner import shuffling_seed
from lanista.training.minibatches import Sequences
from lanista.training.ppo import Batch
from lanista.training.rollout import Rollout
from lanista.training.run import Run, create_run, open_run, prolonged, train
from lanista.training.settings import new_networks, read_settings
from lanista.training.trainers.rllib import OneProcessTrainer

SMALL: dict[str, Any] = {
    "copies": 16, "plies": 4, "minibatch_size": 32, "encoder": "mlp:dim=8,depth=1", "precision": "float32",
    "threads": 1, "measurements": 0, "checkpoints": 0, "learning_rate": 1e-3, "learning_rate_end": 1e-3,
    "entropy_coefficient": 0.01, "entropy_coefficient_end": 0.01,
}  # fmt: skip
BATCH = 16 * 4 * 3


@pytest.fixture(scope="module")
def signals() -> Iterator[str]:
    with registered("parallel", Signals) as game:
        yield game


@pytest.fixture(scope="module")
def haggle() -> Iterator[str]:
    with registered("aec", Haggle) as game:
        yield game


@pytest.fixture
def game(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


both = pytest.mark.parametrize("game", ["signals", "haggle"], indirect=True)


def mean_returns(game: str, agent: Agent, games: int) -> np.ndarray:
    """What each player gets on average if the agent has all seats."""
    seats = (0,) * make(game, 1).spec.players
    schedule = [Scheduled(seats, 1000 + number) for number in range(games)]
    returns = [one.returns for some in play_games(game, [agent], schedule, copies=64) for one in some]
    found: np.ndarray = np.mean(returns, axis=0)
    return found


def rollout_of(game: str, copies: int = 8, memory: str = "", **options: Any) -> tuple[Rollout, dict[str, Any]]:
    torch.manual_seed(0)
    table = make(game, copies)
    network = build_networks(table.spec, ["mlp:dim=8"] * len(table.spec.roles), memory=memory)
    networks = named_by_role(network, table.spec)
    with torch.no_grad():
        for one in networks.values():
            one.policy.weight.mul_(100)
    return Rollout(table, network, bfloat16=False, seed=3, **options), networks


@both
def test_every_row_has_the_later_rewards_of_its_own_seat(game: str) -> None:
    """With lambda 1 a row's return is told by hand: nobody's sign is turned, and the discount counts own turns."""
    rollout, networks = rollout_of(game)
    spec, step = rollout.spec, rollout.game.step
    assert not mover_view(spec) and len(spec.roles) == 2
    names = role_names(spec)
    record: list[tuple[int, list[int], np.ndarray, bool]] = []  # copy, who acted, rewards, whether it was the end

    def spy(actions: Any, rows: Any = None) -> Any:
        turn, outcome = rollout.game.turn(), step(actions, rows)
        for copy in range(rollout.game.copies):
            acted = turn.players[turn.copies == copy].tolist()
            record.append((copy, acted, outcome.rewards[copy].copy(), bool(outcome.finished[copy])))
        return outcome

    rollout.game.step = spy  # type: ignore[method-assign]
    batches = rollout.collect_roles(12, 0.5, 1.0)
    wanted: dict[str, list[float]] = defaultdict(list)
    for at, (copy, acted, _, _) in enumerate(record):
        for player in acted:
            total, discount, first = 0.0, 1.0, True
            for later, there, rewards, ended in record[at:]:
                if later != copy:
                    continue
                discount *= 1.0 if first or player not in there else 0.5
                first = False
                total += discount * float(rewards[player])
                if ended:
                    break
            wanted[names[spec.role_of[player]]].append(total)
    assert set(batches) == set(networks) == set(names)
    for name, batch in batches.items():
        np.testing.assert_allclose(batch.returns, wanted[name], atol=1e-5)
        assert len(set(np.round(batch.returns, 3).tolist())) > 1, "all alike: the test saw nothing"


@both
@pytest.mark.parametrize("memory", ["", "gru:dim=4"])
@pytest.mark.parametrize("opponents", [0.0, 0.5])
def test_each_network_learns_from_what_it_was_shown_and_played(game: str, memory: str, opponents: float) -> None:
    """Asked again, a role's network gives every action of its batch the probability with which it was drawn."""
    options: dict[str, Any] = {"opponents": [load_agent("random")], "opponent_share": opponents} if opponents else {}
    rollout, networks = rollout_of(game, memory=memory, **options)
    rows = 0
    for _ in range(3):
        for name, batch in rollout.collect_roles(5, 0.9, 0.9).items():
            np.testing.assert_allclose(again(networks[name], batch), batch.log_probability, atol=1e-5)
            rows += len(batch.actions)
    most = 3 * 5 * 8 * (3 if game.endswith("signals_v0") else 1)
    assert 0.6 * most < rows <= most - (most // 8 if opponents else 0)


def again(network: Any, batch: Batch) -> np.ndarray:
    observation = {key: torch.from_numpy(value) for key, value in batch.observation.items()}
    legal = None if batch.legal is None else torch.from_numpy(batch.legal)
    actions = torch.from_numpy(batch.actions)
    with torch.no_grad():
        if network.memory is None:
            parameters, _ = network(observation, legal)
            told: np.ndarray = network.head.distribution(parameters).log_probability(actions).numpy()
            return told
        assert batch.stream is not None and batch.memory is not None
        pick = (sequences := Sequences(batch.stream, batch.memory, 3)).pick(torch.arange(len(sequences.starts)))
        assert pick.memory is not None and pick.counts is not None
        seen = {key: value[pick.rows] for key, value in observation.items()}
        may = None if legal is None else legal[pick.rows]
        parameters, _ = network.along(seen, may, pick.memory, pick.counts)
        told = np.zeros(len(actions), np.float32)
        told[pick.rows.numpy()] = network.head.distribution(parameters).log_probability(actions[pick.rows]).numpy()
    return told


@pytest.fixture(scope="module")
def learned(signals: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return lanista.train(
        signals, steps=16_000, out=tmp_path_factory.mktemp("signals") / "run", copies=32, plies=8, minibatch_size=128,
        epochs=4, learning_rate=1e-2, learning_rate_end=1e-3, entropy_coefficient_end=0.0,
        encoder="observation=mlp:dim=16,depth=1", threads=1, precision="float32", measurements=0, checkpoints=0,
    )  # fmt: skip


def test_both_roles_are_learned_to_the_best_there_is(learned: Run, signals: str) -> None:
    agent = load_agent(learned.agent)
    np.testing.assert_allclose(mean_returns(signals, load_agent("random"), 400), [1 / 3, 0.5, 0.5], atol=0.15)
    # It draws its moves, so a game in a hundred may yet be missed: how many differs from machine to machine.
    np.testing.assert_allclose(mean_returns(signals, agent, 400), [1, 2, 2], atol=0.1)
    assert json.loads((Path(learned.agent) / "agent.json").read_text())["format"] == 3
    assert learned.progress is not None
    metrics = learned.progress.metrics
    assert metrics["return/speaker"] > 0.9 and metrics["return/listener"] > 1.8
    losses = [metrics[f"value_loss/{role}"] for role in ("speaker", "listener")]
    assert min(losses) <= metrics["value_loss"] <= max(losses)


def test_encoders_of_an_agent_with_roles_go_to_the_same_roles(learned: Run, signals: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a network for each of the roles speaker and listener"):
        lanista.load_encoder(learned.agent)
    changes = SMALL | {"encoder": learned.agent, "freeze": True, "steps": BATCH}
    run = train(create_run(tmp_path / "run", read_settings(signals, changes=changes)))
    old, new = (load_networks(folder)[0] for folder in (learned.agent, run.agent))
    kept = {name: torch.equal(value, new.state_dict()[name]) for name, value in old.state_dict().items()}
    assert {name.split(".")[2] for name, same in kept.items() if same} == {"fusion"}
    assert sum(kept.values()) == 4 < len(kept), "a weight and a bias of each role's encoder"
    with pytest.raises(UsageError, match="unknown modality 'board'"):
        create_run(tmp_path / "other", read_settings(signals, changes=SMALL | {"encoder": "board=mlp", "steps": 1}))


def kept_games(table: Any) -> bytes:
    """What the door's games cannot do by themselves: all of a batch of small environments as it stands."""
    ledger = table._ledger
    return pickle.dumps((ledger.state, ledger.serial, table._open, table._answers, table._tables))


def put_back(table: Any, state: bytes) -> None:
    kept, serial, table._open, table._answers, table._tables = pickle.loads(state)
    table._ledger.begun = True
    table._ledger.state[...], table._ledger.serial[...], table._turn = kept, serial, None


def test_a_resumed_run_equals_an_unbroken_one(signals: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both roles' weights, moments of Adam, averages, memories and games go on as if never stopped."""
    monkeypatch.setattr(TableGame, "save", kept_games, raising=False)
    monkeypatch.setattr(TableGame, "load", put_back, raising=False)
    changes = SMALL | {
        "steps": 4 * 16 * 5 * 3, "plies": 5, "memory": "gru:dim=4", "normalize_observation": True,
        "normalize_value": True,
    }  # fmt: skip
    settings = read_settings(signals, changes=changes)
    unbroken = train(create_run(tmp_path / "unbroken", settings))
    train(create_run(tmp_path / "run", replace(settings, steps=settings.steps // 2)))
    again = train(prolonged(open_run(tmp_path / "run"), steps=settings.steps, minutes=0), resume=True)
    assert again.progress is not None and again.progress.steps == settings.steps
    wanted, found = (load_networks(run.agent)[0].state_dict() for run in (unbroken, again))
    assert any(name.startswith("roles.listener.memory") for name in found)
    for name, value in wanted.items():
        torch.testing.assert_close(found[name], value, rtol=0, atol=1e-6)


def test_a_league_freezes_and_plays_agents_with_all_roles(signals: str, tmp_path: Path) -> None:
    changes = SMALL | {
        "steps": 3 * BATCH, "league_size": 3, "league_share": 0.5, "promotion_updates": 1, "promotion_pairs": 32,
        "exploiters": 1, "exploiter_share": 0.5, "exploiter_updates": 2,
    }  # fmt: skip
    run = train(create_run(tmp_path / "run", read_settings(signals, changes=changes)))
    folder = run.folder / "league"
    names = sorted(path.name for path in folder.iterdir())
    assert len(names) >= 2 and any("exploiter" in name for name in names)
    for name in names:
        assert isinstance(load_networks(folder / name)[0], RoleNetworks)
        assert mean_returns(signals, load_member(Member(name, frozen=True), folder), 4).shape == (3,)
    state = json.loads((run.checkpoints()[-1] / "league.json").read_text())
    assert len(state["members"]) >= 2 and {member["name"] for member in state["members"]} <= set(names)
    assert (np.array(state["games"])[0, 1:] > 0).any(), "none was played"


def test_what_cannot_be_with_roles_is_refused_in_a_sentence(haggle: str, tmp_path: Path) -> None:
    settings = read_settings(haggle, changes=SMALL | {"steps": 100, "trainer": "sb3"})
    with pytest.raises(UsageError, match="rllib learns a network for each role"):
        create_run(tmp_path / "run", settings)
    assert not (tmp_path / "run").exists()


def test_learners_get_as_many_rows_of_each_role(signals: str) -> None:
    from lanista.training.trainers._rllib_batches import batch_from, columns_by_role

    batches = [rollout_of(signals, copies)[0].collect_roles(5, 1.0, 0.95) for copies in (3, 4)]
    columns = columns_by_role(batches, learners=4)
    assert {name: len(one["actions"]) for name, one in columns.items()} == {"speaker": 32, "listener": 68}  # 35, 70
    whole = {name: batch_from(one) for name, one in columns_by_role(batches).items()}
    for name, batch in whole.items():
        for part in ("actions", "log_probability", "advantages", "returns", "legal"):
            together = np.concatenate([getattr(sample[name], part) for sample in batches])
            np.testing.assert_array_equal(getattr(batch, part), together)
        assert batch.observation["observation"].shape[1] == (3 if name == "speaker" else 5)
    lonely = {"speaker": batches[0]["speaker"]}
    assert set(columns_by_role([lonely])) == {"speaker"} and not columns_by_role([lonely], learners=16)


def test_rllibs_runner_and_learner_do_what_one_process_does(signals: str) -> None:
    """The same games, the same rows by role, the same weights after two updates, without Ray's processes."""
    from ray.rllib.core import COMPONENT_RL_MODULE, DEFAULT_MODULE_ID
    from ray.rllib.core.learner.training_data import TrainingData
    from ray.rllib.policy.sample_batch import MultiAgentBatch, SampleBatch

    from lanista.training.trainers._rllib_actors import RunnerActor, _config
    from lanista.training.trainers._rllib_batches import columns_by_role

    settings = read_settings(signals, changes=SMALL | {"steps": 1000, "memory": "gru:dim=4"})
    alone = OneProcessTrainer(settings)
    torch.manual_seed(settings.seed)
    network = new_networks(make(signals, 1).spec, settings)
    config = _config(settings, network)
    runner = RunnerActor(config=config, worker_index=0)
    learner = config.build_learner(spaces=runner.get_spaces())
    weights = {f"net.{name}": value.numpy().copy() for name, value in network.state_dict().items()}
    learner.module[DEFAULT_MODULE_ID].set_state(weights)
    for number in range(2):
        runner.set_state({COMPONENT_RL_MODULE: learner.module[DEFAULT_MODULE_ID].get_state()})
        sample = runner.sample(number)
        columns = {role: SampleBatch(one) for role, one in columns_by_role([sample.batches]).items()}
        told = learner.update(
            training_data=TrainingData(batch=MultiAgentBatch(columns, env_steps=sample.moves)), progress=number / 2,
            seed=shuffling_seed(settings.seed, number),
        )[DEFAULT_MODULE_ID]  # fmt: skip
        own = alone.update(number, number / 2)
        for name in ("entropy/speaker", "entropy/listener", "policy_loss"):
            assert float(told[name].peek()) == pytest.approx(own[name], abs=1e-6)
    found = learner.module[DEFAULT_MODULE_ID].unwrapped().net.state_dict()
    for name, value in alone.network().state_dict().items():
        torch.testing.assert_close(found[name], value, rtol=0, atol=1e-6)
        assert name.endswith("log_std") or not np.array_equal(value.numpy(), weights[f"net.{name}"]), name


@pytest.mark.slow
def test_runners_and_learners_in_processes_of_their_own(signals: str, tmp_path: Path) -> None:
    """Of MPE, since the workers of Ray do not know this file's games."""
    game = "zoo:mpe/simple_speaker_listener_v4"
    changes = SMALL | {"steps": 4 * 2 * 16 * 2 * 4, "runners": 2, "learners": 2, "memory": "gru:dim=4"}
    run = train(create_run(tmp_path / "run", read_settings(game, changes=changes)))
    network = load_networks(run.agent)[0]
    assert isinstance(network, RoleNetworks) and set(network.roles) == {"speaker", "listener"}
    rows = [json.loads(line) for line in (run.folder / "metrics.jsonl").read_text().splitlines()]
    assert len(rows) == 4 and all(row["grad_norm/speaker"] > 0 and row["grad_norm/listener"] > 0 for row in rows)
    again = train(prolonged(open_run(run.folder), steps=2 * changes["steps"], minutes=0), resume=True)
    old, new = network.state_dict(), load_networks(again.agent)[0].state_dict()
    for role in ("speaker", "listener"):
        assert any(not torch.equal(old[name], new[name]) for name in old if name.startswith(f"roles.{role}."))


@pytest.mark.slow
def test_a_speaker_and_a_listener_learn_to_find_the_landmark(tmp_path: Path) -> None:
    game = "zoo:mpe/simple_speaker_listener_v4"
    run = lanista.train(
        game, steps=250_000, out=tmp_path / "run", copies=64, plies=25, minibatch_size=400, epochs=6, gamma=0.95,
        learning_rate=3e-3, learning_rate_end=3e-4, entropy_coefficient=0.02, entropy_coefficient_end=0.002,
        normalize_value=True, encoder="mlp:dim=64", threads=1, measurements=0,
    )  # fmt: skip
    before, after = (mean_returns(game, load_agent(who), 200) for who in ("random", run.agent))
    assert (after > before / 2).all(), f"{before} by random play, {after} learned"
