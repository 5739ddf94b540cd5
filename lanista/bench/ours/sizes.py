"""The same work at several sizes, in one process: each slice goes through all of them."""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Mapping
from typing import Any

from lanista.bench.processes import tree_seconds
from lanista.bench.worker import Work


def begin(module: str, options: Mapping[str, Mapping[str, Any]], tree: bool = False) -> Work:
    """Make ready the work at each size.

    Args:
        module: whose `begin` does, beside this one.
        options: size -> what it takes.
        tree: the work is done in processes that this one starts, whose CPU time counts too, by the clock's tick.

    Returns:
        Work that tells the CPU seconds a step under each size; a slice's seconds are shared among them.
    """
    works = {size: importlib.import_module(f"{__package__}.{module}").begin(**each) for size, each in options.items()}

    def clock() -> float:
        return tree_seconds(os.getpid()) if tree else time.process_time()

    def work(seconds: float) -> dict[str, float]:
        told, done = dict[str, float](), 0.0
        for size, one in works.items():
            began = clock()
            steps = one(seconds / len(works))["steps"]
            told[size] = (clock() - began) / steps
            done += steps
        return {"steps": done, **told}

    return work
