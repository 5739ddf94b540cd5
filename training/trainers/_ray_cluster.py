"""Ray for a run: one of its own on this machine, or an existing cluster that the run joins."""

from __future__ import annotations

import logging
import os
import socket

import ray

from lanista.errors import UsageError
from lanista.plugs import one_line
from lanista.training.settings import TrainSettings

SECONDS = 3.0  # until a cluster must have said something
# HTTP/2's first words (RFC 9113, section 3.4) and an empty SETTINGS frame: gRPC, which Ray speaks, answers in kind.
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
FRAME_HEADER, SETTINGS_FRAME = 9, 4


def start_ray(settings: TrainSettings, cores: int) -> None:
    """Start Ray for this process alone, or join the cluster that the settings name.

    RLlib keeps its settings in Ray's store even when all else is in this process.

    Raises:
        UsageError: no cluster answers at the settings' address, or it has too few processors.
    """
    for name in ("ray", "ray.rllib", "ray.tune"):
        logging.getLogger(name).setLevel(logging.ERROR)
    if settings.address:
        _join(settings.address)
        wanted, there = settings.runners + settings.learners, int(ray.cluster_resources().get("CPU", 0))
        if wanted > there:  # Ray would wait for them for ever
            ray.shutdown()
            raise UsageError(
                f"{settings.runners} runners and {settings.learners} learners need {wanted} processors, and the "
                f"cluster at {settings.address} has {there}"
            )
        return
    embedded = settings.runners == 0 and settings.learners == 0
    if embedded:
        # Ray would start workers ahead of need, which idle beside the training.
        os.environ.setdefault("RAY_prestart_worker_first_driver", "0")
    ray.init(
        address="local",  # else it would join any cluster on this machine
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
        configure_logging=False,
        num_cpus=max(cores, settings.runners + settings.learners + 1),
        object_store_memory=100 * 2**20 if embedded else None,
    )


def _join(address: str) -> None:
    if address != "auto":
        _must_answer(address)
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, configure_logging=False)
    except ConnectionError as error:
        found = "no Ray cluster runs on this machine" if address == "auto" else f"no Ray cluster answers at {address}"
        raise UsageError(f"{found}; start one with 'ray start --head', or leave --address out") from error
    except RuntimeError as error:  # another version of Ray or Python
        raise UsageError(f"the Ray cluster at {address} cannot be joined: {one_line(error)}") from error


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
