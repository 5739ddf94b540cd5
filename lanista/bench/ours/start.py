"""Processes that are started, and end: what a user waits for before anything happens."""

from __future__ import annotations

import subprocess
import sys
import time

from lanista.bench.worker import Work


def begin(words: list[str]) -> Work:
    """Say what is started.

    Args:
        words: for this environment's Python.
    """

    def work(seconds: float) -> dict[str, float]:
        steps, end = 0, time.perf_counter() + seconds  # by the clock: the CPU time is not this process's own
        while not steps or time.perf_counter() < end:
            subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
            steps += 1
        return {"steps": steps}

    return work
