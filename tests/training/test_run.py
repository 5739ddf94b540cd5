"""Runs on RLlib: the folder, the curves, checkpoints, going on after a stop, and processes that play."""

from __future__ import annotations

import fnmatch
import importlib.util
import json
import os
import shutil
import signal
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from lanista.agents.artifact import load_network
from lanista.agents.contestant import load_agent
from lanista.agents.match import score
from lanista.envs import make
from lanista.errors import UsageError
from lanista.perception.optimizer_state import optimizer_tensors, set_optimizer_tensors
from lanista.plugs import plug, plugs
from lanista.training.anchor_rating import anchors_of
from lanista.training.ppo import make_optimizer
from lanista.training.run import TRAINERS, Progress, Run, create_run, open_run, prolonged, train
from lanista.training.settings import new_network, read_settings, settings_from

pytestmark = [pytest.mark.usefixtures("one_ray"), pytest.mark.long]

SMALL = {
    "copies": 64,
    "plies": 8,
    "minibatch_size": 128,
    "encoder": "mlp:dim=32",
    "precision": "float32",
    "threads": 1,
    "measurements": 2,
    "anchor_pairs": 8,
    "checkpoints": 3,
}
BATCH = 64 * 8


def weights(run: Run) -> torch.Tensor:
    return torch.cat([value.flatten() for value in load_network(run.agent)[0].state_dict().values()])


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, list[Progress]]:
    settings = read_settings("tictactoe", changes=SMALL | {"steps": 6 * BATCH})
    heard: list[Progress] = []
    return train(create_run(tmp_path_factory.mktemp("unbroken"), settings), report=heard.append), heard


def test_a_run_leaves_what_it_promises(unbroken: tuple[Run, list[Progress]]) -> None:
    run, heard = unbroken
    assert [progress.steps for progress in heard] == [BATCH * n for n in range(1, 7)]
    assert heard[-1].share == 1.0
    assert set(heard[-1].scores) == {"random", "minimax:depth=1"}
    assert heard[-1].rating is not None and heard[-1].rating.low < heard[-1].rating.elo < heard[-1].rating.high
    assert [progress.measured_at for progress in heard] == [BATCH * n for n in (0, 0, 3, 3, 3, 6)]
    assert tomllib.loads((run.folder / "config.toml").read_text())["encoder"] == "mlp:dim=32"
    rows = [json.loads(line) for line in (run.folder / "metrics.jsonl").read_text().splitlines()]
    assert [row["steps"] for row in rows] == [progress.steps for progress in heard]
    assert all(0 < row["entropy"] < 3 and 0 < row["value_loss"] < 1 for row in rows)
    assert 5 <= rows[-1]["game_length"] <= 9
    assert "rating" not in rows[0] and rows[-1]["rating"] == heard[-1].rating.elo
    assert [int(path.name) for path in run.checkpoints()] == [BATCH * n for n in (2, 4, 6)]


def test_the_curves_can_be_read_by_tensorboard(unbroken: tuple[Run, list[Progress]]) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(unbroken[0].folder))
    events.Reload()
    assert {"entropy", "value_loss", "score/random", "rating"} <= set(events.Tags()["scalars"])
    assert [event.step for event in events.Scalars("entropy")] == [BATCH * n for n in range(1, 7)]


def test_tensorboard_keeps_the_row_of_the_checkpoint_that_is_gone_on_from(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    settings = read_settings("tictactoe", changes=SMALL | {"steps": 2 * BATCH, "measurements": 0})
    train(create_run(tmp_path, settings))
    train(prolonged(open_run(tmp_path), steps=3 * BATCH, minutes=0), resume=True)
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert [event.step for event in events.Scalars("entropy")] == [BATCH, 2 * BATCH, 3 * BATCH]


def test_checkpoints_and_the_run_itself_are_agents_that_play(unbroken: tuple[Run, list[Progress]]) -> None:
    run, _ = unbroken
    for path in (*map(str, run.checkpoints()), run.agent, str(run.folder)):
        assert 0 <= score("tictactoe", load_agent(path), load_agent("random"), 4, seed=0) <= 1
    about = json.loads((run.folder / "agent" / "agent.json").read_text())
    assert about["training"]["rating"].keys() == {"elo", "low", "high"}
    assert about["training"]["steps"] == 6 * BATCH and about["training"]["seed"] == 0


def test_a_resumed_run_equals_an_unbroken_one(unbroken: tuple[Run, list[Progress]], tmp_path: Path) -> None:
    """Stopped after 3 updates of 6 by Ctrl-C, gone on in a new trainer: the same weights, optimizer, games."""
    settings = read_settings("tictactoe", changes=SMALL | {"steps": 6 * BATCH})

    def interrupt(progress: Progress) -> None:
        if progress.steps == 3 * BATCH:
            os.kill(os.getpid(), signal.SIGINT)

    first = train(create_run(tmp_path / "run", settings), report=interrupt)
    assert first.interrupted
    with (tmp_path / "run" / "metrics.jsonl").open("a") as metrics:  # as if a kill came later, in the middle of a row
        metrics.write(f'{{"steps": {4 * BATCH}}}\n{{"steps": 99')
    again = train(open_run(tmp_path / "run"), resume=True)
    assert not again.interrupted
    assert again.progress is not None and again.progress.steps == 6 * BATCH
    torch.testing.assert_close(weights(again), weights(unbroken[0]), rtol=0, atol=1e-6)
    rows = [json.loads(line)["steps"] for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert rows == [BATCH * n for n in range(1, 7)]


@pytest.mark.parametrize("agent", ["missing", "older"])
def test_a_kill_before_the_last_agent_was_written_is_made_good(
    agent: str, unbroken: tuple[Run, list[Progress]], tmp_path: Path
) -> None:
    whole, _ = unbroken
    folder = tmp_path / "run"
    shutil.copytree(whole.folder, folder)
    shutil.rmtree(folder / "agent")
    if agent == "older":
        shutil.copytree(whole.checkpoints()[0], folder / "agent", ignore=shutil.ignore_patterns("resume"))
    train(open_run(folder), resume=True)
    for path in (whole.folder / "agent").iterdir():
        assert (folder / "agent" / path.name).read_bytes() == path.read_bytes()


def test_a_resumed_run_remembers_what_it_would_have(tmp_path: Path) -> None:
    """What the seats of running games remember is saved with the games."""
    same = {"learning_rate": 1e-3, "learning_rate_end": 1e-3, "entropy_coefficient": 0.01}  # as for a longer run
    changes = SMALL | same | {"entropy_coefficient_end": 0.01, "steps": 4 * BATCH, "memory": "lstm:dim=16"}
    settings = read_settings("tictactoe", changes=changes)
    unbroken = train(create_run(tmp_path / "unbroken", settings))
    train(create_run(tmp_path / "run", replace(settings, steps=2 * BATCH)))
    again = train(prolonged(open_run(tmp_path / "run"), steps=4 * BATCH, minutes=0), resume=True)
    torch.testing.assert_close(weights(again), weights(unbroken), rtol=0, atol=1e-6)


def test_runners_in_processes_of_their_own(tmp_path: Path) -> None:
    settings = read_settings("tictactoe", changes=SMALL | {"steps": 4 * BATCH, "runners": 2})
    run = train(create_run(tmp_path, settings))
    assert run.progress is not None and run.progress.steps == 4 * BATCH
    before = weights(run)
    longer = train(prolonged(open_run(tmp_path), steps=6 * BATCH, minutes=0), resume=True)
    assert longer.progress is not None and longer.progress.steps == 6 * BATCH
    assert not torch.equal(weights(longer), before)


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no run"):
        open_run(tmp_path)


def test_a_folder_that_holds_a_run_is_not_overwritten(unbroken: tuple[Run, list[Progress]]) -> None:
    with pytest.raises(UsageError, match="already holds a run"):
        create_run(unbroken[0].folder, unbroken[0].settings)


def test_a_damaged_checkpoint_is_named(unbroken: tuple[Run, list[Progress]], tmp_path: Path) -> None:
    run = create_run(tmp_path / "run", read_settings("tictactoe", changes=SMALL | {"steps": BATCH}))
    train(run)
    newest = run.checkpoints()[-1]
    path = newest / "resume" / "optimizer.safetensors"
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(UsageError, match="is damaged"):
        train(prolonged(run, steps=2 * BATCH, minutes=0), resume=True)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"learning_rat": 1.0}, "did you mean 'learning_rate'"),
        ({"copies": "many"}, "must be int"),
        ({"copies": 0}, "more than 0"),
        ({"copies": -3}, "must not be negative"),
        ({"seed": -1}, "'seed' must not be negative, but is -1"),
        ({"seed": 2**63}, r"'seed' must be less than 2\^63"),
        ({"max_grad_norm": float("nan")}, "must be a number"),
        ({"adam_beta1": 1.0}, "must be less than 1"),
        ({"gamma": 1.5}, "at most 1"),
        ({"precision": "half"}, "auto, float32 or bfloat16"),
    ],
)
def test_wrong_settings_are_refused(changes: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        read_settings("connect_four", changes=changes)


def test_presets_then_file_then_changes(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("epochs = 7\ncopies = 99\n")
    settings = read_settings("connect_four", tmp_path / "mine.toml", {"copies": 5})
    assert (settings.epochs, settings.copies, settings.random_plies) == (7, 5, 20)
    with pytest.raises(UsageError, match="there is no file"):
        read_settings("connect_four", tmp_path / "other.toml")
    (tmp_path / "broken.toml").write_text("epochs = = 7")
    with pytest.raises(UsageError, match="cannot be read as TOML"):
        read_settings("connect_four", tmp_path / "broken.toml")


def test_every_preset_is_of_a_game_and_valid() -> None:
    from lanista.envs import doors, games
    from lanista.files import read_toml
    from lanista.training.settings import PRESETS

    for path in (path for path in PRESETS.glob("*.toml") if path.stem not in plugs(TRAINERS)):
        assert path.stem in [*games(), *doors()]
        settings_from({k: v for k, v in read_toml(path).items() if not isinstance(v, dict)} | {"game": path.stem})
        for name, table in read_toml(path).items():
            if isinstance(table, dict):
                settings_from(table | {"game": f"{path.stem}:{name}"})
                try:
                    known = plug("lanista.envs.doors", "door", path.stem).ids()
                except UsageError:  # it needs software that is not here
                    continue
                assert ("*" in name and path.stem == "gym") or fnmatch.filter(known, name), f"{name} of {path.stem}"


def test_a_trainers_preset_is_of_its_algorithms_and_valid() -> None:
    from lanista.files import read_toml
    from lanista.training.settings import PRESETS
    from lanista.training.trainers._sb3_algorithms import ALGORITHMS, algorithm_of

    found = read_toml(PRESETS / "sb3.toml")
    tables = {name: table for name, table in found.items() if isinstance(table, dict)}
    assert tables and tables.keys() <= ALGORITHMS.keys()
    for name in ALGORITHMS:
        assert read_settings("tictactoe", changes={"trainer": "sb3", "algorithm": name}).precision == "float32"
        for game in (game for game, table in tables.get(name, {}).items() if isinstance(table, dict)):
            chosen = read_settings(game, changes={"trainer": "sb3", "algorithm": name})
            if importlib.util.find_spec(ALGORITHMS[name].package) is not None:
                algorithm_of(chosen)


def test_a_table_is_for_all_games_whose_names_are_like_its_own() -> None:
    lava = read_settings("gym:minigrid:MiniGrid-LavaGapS5-v0?max_steps=9")
    assert lava == replace(read_settings("gym:MiniGrid-Empty-5x5-v0"), game=lava.game)
    assert "symbol_cnn" in lava.encoder and (lava.gamma, lava.epochs) == (0.99, 4)
    assert read_settings("envpool:BigfishEasy-v0") == replace(
        read_settings("envpool:CoinrunHard-v0"), game="envpool:BigfishEasy-v0"
    )
    assert read_settings("envpool:BigfishEasy-v0").gamma == 0.999 != read_settings("envpool:Pong-v5").gamma


def test_a_doors_preset_is_for_all_its_games_and_its_tables_for_one() -> None:
    every = read_settings("gym:Acrobot-v1?max_episode_steps=9")
    one = read_settings("gym:Pendulum-v1?g=9.81", changes={"plies": 7})
    assert (every.gamma, every.normalize_value) == (0.99, True)
    assert (one.gamma, one.normalize_value, one.plies) == (0.9, True, 7)
    assert not read_settings("connect_four").normalize_value
    assert read_settings("atari:pong").copies < 64, "each takes a fifth of a second to begin"


@pytest.mark.slow
def test_connect_four_is_learned(tmp_path: Path) -> None:
    """Two minutes on a quiet core reach over 0.9 against random play."""
    run = train(create_run(tmp_path, read_settings("connect_four", changes={"minutes": 2.0, "seed": 1})))
    assert score("connect_four", load_agent(run.agent), load_agent("random"), 100, seed=3) > 0.9


def test_the_default_anchors_are_those_that_can_play() -> None:
    assert list(anchors_of(read_settings("tictactoe"))) == ["random", "minimax:depth=1"]
    assert list(anchors_of(read_settings("zoo:classic/tictactoe_v3"))) == ["random"], "it does not show its rules"
    assert list(anchors_of(read_settings("gym:CartPole-v1"))) == []


def test_an_anchor_that_was_asked_for_and_cannot_play_is_refused() -> None:
    with pytest.raises(UsageError, match="minimax plays"):
        anchors_of(read_settings("zoo:classic/tictactoe_v3", changes={"anchors": "minimax:depth=1 random"}))
    with pytest.raises(UsageError, match="is not for two players"):
        anchors_of(read_settings("gym:CartPole-v1", changes={"anchors": "random"}))


def test_settings_that_cannot_be_leave_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown game"):
        create_run(tmp_path / "run", read_settings("tictacto"))
    assert not (tmp_path / "run").exists()


def test_an_optimizer_goes_on_with_weights_that_are_channels_last() -> None:
    """Its state is saved row by row; the weights of convolutions lie in another order."""
    settings = read_settings("tictactoe", changes={"encoder": "board_resnet:channels=4"})
    batch = torch.rand(16, 2, 3, 3, generator=torch.Generator().manual_seed(0))

    def learn(network: torch.nn.Module, optimizer: torch.optim.Optimizer, times: int) -> None:
        for _ in range(times):
            optimizer.zero_grad()
            parameters, values = network({"board": batch})
            (parameters.square().sum() + (values - 1).square().sum()).backward()
            optimizer.step()

    torch.manual_seed(0)
    network = new_network(make("tictactoe").spec, settings)
    optimizer = make_optimizer(network, settings)
    learn(network, optimizer, 3)
    again = new_network(make("tictactoe").spec, settings)
    again.load_state_dict(network.state_dict())
    resumed = make_optimizer(again, settings)
    set_optimizer_tensors(resumed, {n: v.contiguous() for n, v in optimizer_tensors(optimizer).items()})
    learn(network, optimizer, 3)
    learn(again, resumed, 3)
    for name, value in network.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], value, rtol=1e-6, atol=1e-7, msg=name)
