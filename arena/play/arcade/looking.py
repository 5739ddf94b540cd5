"""Where a watched agent looks, computed beside the game as often as there is time for it: never by making it wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from lanista.arena.play.arcade.machine import Decision
from lanista.envs.core import Agent, Array
from lanista.envs.instructed import View

# Copies of what it sees, with noise, at a time. A picture on paper takes sixteen times as many at once; here a frame
# must never wait for more than some milliseconds, and what was seen before smooths it as well.
COPIES = 2
LEAST = 36  # pixels of a picture's side
SHARE = 0.25  # of the time, at most
FAINT = 1.0  # bits; a part that speaks for the action by so much is shown as strongly as can be, at least
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


def can_be_explained(agent: Agent | None) -> bool:
    """Whether an agent has one network, so that it can be asked again without parts of what it sees and is told."""
    network = getattr(agent, "network", None)
    if network is None:
        return False
    from lanista.agents.policy_network import PolicyNetwork

    return isinstance(network, PolicyNetwork)


class Smoothed:
    """Explains by the gradients of a picture, smoothed over the frames."""

    def __init__(self, show: Callable[[Array], None]) -> None:
        """Args: show: is given (height, width) float32 in [0, 1], after each explanation."""
        self._show = show
        self._mean: Array | None = None
        self._seed = 0

    def __call__(self, found: Decision) -> None:
        """Explain a decision."""
        from lanista.agents.saliency import saliency

        network = found.agent.network  # type: ignore[attr-defined]  # it `shows_looks`
        self._seed += 1
        _, heat = saliency(network, found.turn, 0, found.action, self._seed, COPIES)
        mean = self._mean
        self._mean = mean = heat if mean is None or mean.shape != heat.shape else KEPT * mean + (1 - KEPT) * heat
        whole = float(mean.max())
        self._show(mean / whole if whole > 0 else mean)


class Covered:
    """Explains exactly, without each cell of the map, each word and each stretch of what is heard."""

    def __init__(self, show: Callable[[Array], None], tell: Callable[[dict[str, Any]], None]) -> None:
        """Say where it goes.

        Args:
            show: is given (rows, columns) float32 in [0, 1], of the whole level, after each explanation.
            tell: is given what `words` weigh, in bits, and `stretches`, each with where it begins and ends, in [0, 1].
        """
        self._show, self._tell = show, tell

    def __call__(self, found: Decision) -> None:
        """Explain a decision."""
        from lanista.agents.occlusion import occlusion

        network = found.agent.network  # type: ignore[attr-defined]  # it `can_be_explained`
        heeded = occlusion(network, found.turn, 0, found.action, found.memory)
        for cells in heeded.cells.values():
            self._show(heat_of(cells, found.view))
        words = [each.round(3).tolist() for each in heeded.words.values()]
        stretches: list[list[float]] = []
        for name, each in heeded.stretches.items():
            long = found.turn.observation[name].shape[1]
            ends = (heeded.spans[name] / long).round(4).tolist()
            stretches = [[*span, weight] for span, weight in zip(ends, each.round(3).tolist(), strict=True)]
        self._tell({"probability": heeded.probability, "words": next(iter(words), []), "stretches": stretches})


def heat_of(weights: Array, view: View | None) -> Array:
    """How much the cells speak for what is done, as a picture in [0, 1]; what speaks against it is 0.

    Weights are shown to the greatest of them, but not as if much mattered where nothing does.

    Args:
        weights: (rows, columns) in bits, of the cells that the agent sees.
        view: where they lie in the level, of which the picture is then; None: the picture is what it sees.
    """
    strong = np.clip(weights, 0, None) / max(float(weights.max()), FAINT)
    if view is None:
        return strong.astype(np.float32)
    whole: Array = np.zeros(view.size, np.float32)
    inside = ((view.places >= 0) & (view.places < view.size)).all(-1)
    whole[tuple(view.places[inside].T)] = strong[inside]
    return whole


class Looking:
    """A thread that explains the agent's last decision, again and again while it is on."""

    def __init__(self, decision: Callable[[], Decision | None], explain: Callable[[Decision], None]) -> None:
        """Begin, switched off.

        Args:
            decision: gives the last one; called in the thread.
            explain: shows what explains it; called in the thread.
        """
        self._decision, self._explain = decision, explain
        self._on = threading.Event()
        threading.Thread(target=self._work, name="looking", daemon=True).start()

    def switch(self, on: bool) -> None:
        """Whether it works."""
        if on:
            self._on.set()
        else:
            self._on.clear()

    def _work(self) -> None:
        explained: Decision | None = None
        while True:
            self._on.wait()
            found = self._decision()
            if found is None or found is explained:
                time.sleep(0.01)
                continue
            began, explained = time.monotonic(), found
            self._explain(found)
            time.sleep((time.monotonic() - began) * (1 / SHARE - 1))
