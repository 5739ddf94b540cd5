"""Where the time of our training goes: the same updates, with clocks around the network and the optimiser.

The clocks cost a little, so that this is a pass of its own and takes no part in the race.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from itertools import count
from typing import Any

import torch

from lanista.bench.worker import Work, repeat
from lanista.training import rollout
from lanista.training.settings import settings_from
from lanista.training.trainers.rllib import OneProcessTrainer


class Clocks:
    """CPU seconds of this process by the name of what it did; what lies within another is counted there only."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._began = 0.0

    def start(self, *ignored: Any) -> None:
        """Begin to count; the arguments of a hook are of no use."""
        self._began = time.process_time()

    def stop(self, name: str) -> Callable[..., None]:
        """A hook that ends the counting and books it to a name."""

        def book(*ignored: Any) -> None:
            self.seconds[name] += time.process_time() - self._began

        return book

    def around(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        """The function, with its time booked to a name."""

        def timed(*arguments: Any, **named: Any) -> Any:
            self.start()
            answer = function(*arguments, **named)
            self.stop(name)()
            return answer

        return timed


def begin(**settings: Any) -> Work:
    """Open the trainer and put the clocks in; the shares of a slice are told by name."""
    trainer = OneProcessTrainer(settings_from({**settings, "threads": 1}))
    clocks, numbers = Clocks(), count()
    network, optimizer = trainer.network(), trainer.learner.optimizer
    network.register_forward_pre_hook(clocks.start)  # playing asks its parts, and passes by the hooks
    network.register_forward_hook(clocks.stop("forward"))
    optimizer.register_step_pre_hook(clocks.start)
    optimizer.register_step_post_hook(clocks.stop("optimiser"))
    torch.Tensor.backward = clocks.around(torch.Tensor.backward, "backward")  # type: ignore[method-assign]
    vars(rollout)["remember"] = clocks.around(vars(rollout)["remember"], "playing")

    def work(seconds: float) -> dict[str, float]:
        clocks.seconds.clear()
        began = time.process_time()
        steps = repeat(lambda: trainer.update(next(numbers), 0.0)["steps"], seconds)
        whole = time.process_time() - began
        return {"steps": steps, **{name: spent / whole for name, spent in clocks.seconds.items()}}

    return work
