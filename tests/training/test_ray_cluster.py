"""Training on a Ray cluster: two nodes, a runner that is killed, addresses where no cluster is, the docs' files."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import ray
import yaml  # type: ignore[import-untyped]  # of its stubs only dicts would be used

import lanista
from lanista.errors import UsageError
from lanista.training.run import Progress

pytestmark = pytest.mark.long

DOCS = Path(__file__).parents[2] / "docs" / "cluster"
LONGEST = 240  # seconds until a killed runner should be back, on a busy machine
COPIES, PLIES = 32, 8
BATCH = COPIES * PLIES  # of one runner
SMALL: dict[str, Any] = {
    "copies": COPIES, "plies": PLIES, "minibatch_size": 128, "encoder": "mlp:dim=16", "precision": "float32",
    "threads": 1, "measurements": 0, "checkpoints": 1,
}  # fmt: skip


def runners() -> dict[str, tuple[str, int]]:
    """Actor id -> node and process, of the runners that live."""
    found = ray._private.state.actors()
    return {
        key: (actor["Address"]["NodeID"], int(actor["Pid"]))
        for key, actor in found.items()
        if actor["State"] == "ALIVE" and "Runner" in actor["ActorClassName"]
    }


@pytest.mark.thorough
def test_both_nodes_of_a_cluster_play_and_a_killed_runner_comes_back(cluster: str, tmp_path: Path) -> None:
    steps: list[int] = []
    nodes: list[set[str]] = []
    processes: list[set[int]] = []

    killed: list[float] = []

    def watch(progress: Progress) -> None:
        steps.append(progress.steps)
        living = runners()
        nodes.append({node for node, _ in living.values()})
        processes.append({process for _, process in living.values()})
        if len(steps) == 3:
            killed.append(time.monotonic())
            os.kill(min(processes[-1]), signal.SIGKILL)
        # How many updates one runner makes before the other is back depends on the machine: go on until it is.
        back = len(steps) > 4 and steps[-1] - steps[-2] == 2 * BATCH and processes[-1] != processes[2]
        if back or (killed and time.monotonic() - killed[0] > LONGEST):
            os.kill(os.getpid(), signal.SIGINT)

    run = lanista.train("tictactoe", minutes=10, out=tmp_path, address=cluster, runners=2, report=watch, **SMALL)
    assert len(nodes[0]) == 2, "one runner on each node"
    gains = [after - before for before, after in zip([0, *steps], steps, strict=False)]
    assert set(gains) <= {0, BATCH, 2 * BATCH} and gains[:3] == [2 * BATCH] * 3, "what was lost is not counted"
    assert gains[-1] == 2 * BATCH and len(nodes[-1]) == 2, "the runner came back, on its node"
    assert len(processes[-1] - processes[2]) == 1 and len(processes[-1] & processes[2]) == 1
    assert run.interrupted and run.progress is not None and run.progress.steps == sum(gains)
    assert not ray.is_initialized(), "the cluster was left, and goes on"


@pytest.mark.thorough
def test_more_processes_than_the_cluster_has_are_refused(cluster: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"5 runners and 0 learners need 5 processors, and the cluster .* has 2"):
        lanista.train("tictactoe", steps=100, out=tmp_path / "run", address=cluster, runners=5, **SMALL)
    assert not ray.is_initialized()


@pytest.fixture
def not_ray() -> Iterator[str]:
    """The address of a server that speaks something else."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
                time.sleep(0.2)
                connection.close()

        threading.Thread(target=answer, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_an_address_where_something_else_answers_is_refused(not_ray: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=rf"what answers at {not_ray} is no Ray cluster"):
        lanista.train("tictactoe", steps=100, out=tmp_path / "run", address=not_ray, runners=1, **SMALL)


@pytest.mark.parametrize(
    ("address", "says"),
    [("127.0.0.1:1", r"no Ray cluster answers at 127.0.0.1:1"), ("nearby", "HOST:PORT"), ("a:99999", "HOST:PORT")],
)
def test_an_address_where_no_cluster_is_is_refused(address: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=says):
        lanista.train("tictactoe", steps=100, out=tmp_path / "run", address=address, runners=1, **SMALL)


def test_nothing_is_told_to_the_outside() -> None:
    from ray._common.usage import usage_lib

    import lanista.training.trainers._rllib_actors  # noqa: F401  turns it off

    assert not usage_lib.usage_stats_enabled()


def test_the_docs_ray_up_file_is_valid() -> None:
    from ray.autoscaler._private.util import prepare_config, validate_config

    config = yaml.safe_load((DOCS / "ray_up.yaml").read_text())
    validate_config(prepare_config(config))
    config["head_start_ray_command"] = "a field that does not exist"
    with pytest.raises(Exception, match="head_start_ray_command"):
        validate_config(config)


def test_the_docs_kuberay_file_is_valid() -> None:
    """Ray's own reader of such a file, and its schema."""
    from ray.autoscaler._private.kuberay.autoscaling_config import _derive_autoscaling_config_from_ray_cr
    from ray.autoscaler._private.util import validate_config

    claim, config = yaml.safe_load_all((DOCS / "kuberay.yaml").read_text())
    (volume,) = config["spec"]["headGroupSpec"]["template"]["spec"]["volumes"]
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert config["spec"]["rayVersion"] == ray.__version__
    derived = _derive_autoscaling_config_from_ray_cr(config)
    validate_config(derived)
    players = derived["available_node_types"]["players"]
    assert players["resources"]["CPU"] == 8 and players["max_workers"] == 4
    assert derived["available_node_types"]["headgroup"]["resources"]["CPU"] == 0


@pytest.mark.faults
def test_a_run_goes_on_without_a_node_that_dies_and_is_resumed_with_another(tmp_path: Path) -> None:
    from ray.cluster_utils import Cluster

    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    other = nodes.add_node(num_cpus=1)
    nodes.wait_for_nodes()
    steps: list[int] = []
    died: list[float] = []

    def watch(progress: Progress) -> None:
        steps.append(progress.steps)
        if len(steps) == 3:
            nodes.remove_node(other, allow_graceful=False)
            died.append(time.monotonic())
        gained = [after - before for before, after in itertools.pairwise(steps[3:])]
        if gained.count(BATCH) >= 3 or (died and time.monotonic() - died[0] > LONGEST):
            os.kill(os.getpid(), signal.SIGINT)

    try:
        changes = SMALL | {"checkpoints": 1}
        run = lanista.train(
            "tictactoe", minutes=20, out=tmp_path / "run", address=nodes.address, runners=2, report=watch, **changes
        )
        gains = [after - before for before, after in zip([0, *steps], steps, strict=False)]
        assert gains[:3] == [2 * BATCH] * 3 and gains[-1] == BATCH, "the runner of the other node plays on"
        assert run.interrupted and run.checkpoints()[-1].name == str(steps[-1])
        assert not ray.is_initialized()
        nodes.add_node(num_cpus=1)
        nodes.wait_for_nodes()
        again = lanista.resume(run.folder, steps=steps[-1] + 4 * BATCH)
        assert again.progress is not None and again.progress.steps >= steps[-1] + 4 * BATCH and not again.interrupted
    finally:
        ray.shutdown()
        nodes.shutdown()
