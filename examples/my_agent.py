"""An agent of one's own: it plays the legal move nearest to the middle of the board's columns.

Example:
    lanista match py:examples/my_agent.py:MyAgent random --game connect_four
"""

import numpy as np

from lanista.envs.core import Choice, Turn


class MyAgent:
    """Anything with `act` is an agent; `start(spec, seed)` and `finish(games)` are told if they are there."""

    def act(self, turn: Turn, memory: np.ndarray | None = None) -> Choice:
        """One legal action a row."""
        assert turn.legal is not None  # (k, num_actions)
        number = np.arange(turn.legal.shape[1])
        distance = abs(number - number.mean())
        return Choice(np.where(turn.legal, distance, np.inf).argmin(axis=1))
