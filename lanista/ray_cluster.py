"""Ray for whoever spreads work: a cluster of its own on this machine, or one that is there already and is joined."""

from __future__ import annotations

import logging
import os
import socket

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # before ray is imported: nothing reaches outside

import ray

from lanista.errors import UsageError
from lanista.plugs import one_line

SECONDS = 3.0  # until a cluster must have said something
# HTTP/2's first words (RFC 9113, section 3.4) and an empty SETTINGS frame: gRPC, which Ray speaks, answers in kind.
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
FRAME_HEADER, SETTINGS_FRAME = 9, 4


def start_here(processors: int, object_store: int | None = None) -> None:
    """Start a cluster on this machine for this process alone.

    Args:
        processors: how many tasks run at once, at most.
        object_store: bytes of memory for what is passed around; None is as much as Ray takes.
    """
    _quiet()
    ray.init(
        address="local",  # else it would join any cluster on this machine
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
        configure_logging=False,
        num_cpus=processors,
        object_store_memory=object_store,
    )


def join_cluster(address: str) -> None:
    """Join a cluster that is there: HOST:PORT of its head, or "auto" for one that runs on this machine.

    Raises:
        UsageError: none answers there, or it is of another version.
    """
    _quiet()
    if address != "auto":
        _must_answer(address)
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, configure_logging=False)
    except ConnectionError as error:
        found = "no Ray cluster runs on this machine" if address == "auto" else f"no Ray cluster answers at {address}"
        raise UsageError(f"{found}; start one with 'ray start --head', or leave --address out") from error
    except RuntimeError as error:  # another version of Ray or Python
        raise UsageError(f"the Ray cluster at {address} cannot be joined: {one_line(error)}") from error


def processors() -> int:
    """How many processors the cluster has that this process has joined."""
    return int(ray.cluster_resources().get("CPU", 0))


def leave() -> None:
    """Leave the cluster that this process joined, which goes on, or end its own."""
    ray.shutdown()


def _quiet() -> None:
    for name in ("ray", "ray.rllib", "ray.tune"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _must_answer(address: str) -> None:
    """Refuse an address at once that Ray would try for many minutes.

    Raises:
        UsageError: it is no HOST:PORT, or nothing there speaks Ray's protocol.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise UsageError(
            f"--address is HOST:PORT of a Ray cluster's head, such as 10.0.0.1:6379, or auto, not '{address}'"
        )
    try:
        with socket.create_connection((host, int(port)), SECONDS) as connection:
            connection.sendall(PREFACE)
            answer = connection.recv(FRAME_HEADER)
    except OSError as error:
        raise UsageError(
            f"no Ray cluster answers at {address} ({one_line(error)}); start one with 'ray start --head'"
        ) from error
    if len(answer) < FRAME_HEADER or answer[3] != SETTINGS_FRAME:
        raise UsageError(f"what answers at {address} is no Ray cluster; the port of a head is 6379 unless it was set")
