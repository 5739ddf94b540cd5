"""What holds for all tests."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# The programs that tests start, hundreds of them, would each compile our modules anew.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
if "PYTEST_XDIST_WORKER" in os.environ:
    # Several workers share the machine: threads that share a core wait for each other in busy loops. Set before torch
    # is imported; programs that tests start have it too.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
# Ray lets its workers wait for whoever else wants a processor, which beside other tests is for most of the time.
os.environ.setdefault("RAY_worker_niceness", "0")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where nothing may be left out unseen, as in `.ci/run`, skips are checked against a list."""
    parser.addoption("--known-skips", metavar="FILE", help="fail if a test is skipped for a reason that FILE has not")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, so that at the end no process waits for another that has just begun one."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail for skips that are not listed: patterns of reasons, a line each, `#` before what explains them."""
    listed = session.config.getoption("--known-skips")
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not listed or reporter is None or hasattr(session.config, "workerinput"):
        return
    lines = [line.strip() for line in Path(listed).read_text().splitlines()]
    known = [re.compile(line) for line in lines if line and not line.startswith("#")]
    unknown = set()
    for report in reporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reason = reason.removeprefix("Skipped: ")
        if not any(pattern.fullmatch(reason) for pattern in known):
            unknown.add(f"{report.nodeid}: {reason}")
    if unknown:
        reporter.write_line("skipped for a reason that is not listed:\n" + "\n".join(sorted(unknown)), red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="module")
def one_ray() -> None:
    """One Ray for all trainings of this process, if none runs: each would else start its own, and take longer for it.

    The tests of the command line in processes of their own start one as users do.
    """
    import ray  # only where it is asked for: other tests need not wait for it

    from lanista.ray_cluster import start_here

    if not ray.is_initialized():
        with pytest.MonkeyPatch.context() as patch:
            # Processes that play have to find the environments of tests, too.
            patch.setenv("PYTHONPATH", str(Path(__file__).with_name("training")), prepend=os.pathsep)
            start_here(3)


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a cluster of two nodes with one processor each."""
    import ray
    from ray.cluster_utils import Cluster

    ray.shutdown()  # the one of other tests
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    nodes.add_node(num_cpus=1)
    nodes.wait_for_nodes()
    yield nodes.address
    ray.shutdown()
    nodes.shutdown()
