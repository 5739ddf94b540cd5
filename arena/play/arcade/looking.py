"""Where a watched agent looks, computed beside the game as often as there is time for it: never by making it wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from lanista.arena.play.arcade.machine import Decision
from lanista.envs.core import Agent, Array

# Copies of what it sees, with noise, at a time. A picture on paper takes sixteen times as many at once; here a frame
# must never wait for more than some milliseconds, and what was seen before smooths it as well.
COPIES = 2
LEAST = 36  # pixels of a picture's side
SHARE = 0.25  # of the time, at most
KEPT = 0.75  # how much stays of what was shown before: noise flickers, attention does not


def shows_looks(agent: Agent | None) -> bool:
    """Whether an agent has one network that sees a picture, so that its looks can be shown over the screen.

    Maps of a few symbols are no pictures: what they show lies elsewhere on the screen.
    """
    network = getattr(agent, "network", None)
    if network is None:
        return False
    from lanista.agents.policy_network import PolicyNetwork

    return isinstance(network, PolicyNetwork) and any(
        len(shape := tuple(encoder.shape)) == 3 and min(shape[1:]) >= LEAST  # type: ignore[arg-type]
        for encoder in network.fusion.encoders.values()
    )


class Looking:
    """A thread that explains the agent's last decision, again and again while it is on."""

    def __init__(self, decision: Callable[[], Decision | None], show: Callable[[Array], None]) -> None:
        """Begin, switched off.

        Args:
            decision: gives the last one; called in the thread.
            show: is given (height, width) float32 in [0, 1]; called in the thread.
        """
        self._decision, self._show = decision, show
        self._on = threading.Event()
        threading.Thread(target=self._work, name="looking", daemon=True).start()

    def switch(self, on: bool) -> None:
        """Whether it works."""
        if on:
            self._on.set()
        else:
            self._on.clear()

    def _work(self) -> None:
        from lanista.agents.saliency import saliency

        explained: Decision | None = None
        mean: Array | None = None
        seed = 0
        while True:
            self._on.wait()
            found = self._decision()
            if found is None or found is explained:
                time.sleep(0.01)
                continue
            began, explained = time.monotonic(), found
            network = found.agent.network  # type: ignore[attr-defined]  # it `shows_looks`
            seed += 1
            _, heat = saliency(network, found.turn, 0, found.action, seed, COPIES)
            mean = heat if mean is None or mean.shape != heat.shape else KEPT * mean + (1 - KEPT) * heat
            whole = float(mean.max())
            self._show(mean / whole if whole > 0 else mean)
            time.sleep((time.monotonic() - began) * (1 / SHARE - 1))
