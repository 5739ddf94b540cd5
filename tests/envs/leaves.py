"""Count what the rules allow: all lines of so many plies from a position, walked in compiled code."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from lanista.envs.compiling import compiled
from lanista.envs.rules import Rules


@lru_cache(maxsize=16)
def _walker(rules: Rules) -> Any:
    legal, play, num_actions, players = rules.legal, rules.play, rules.num_actions, rules.spec.players

    def walk(line: Any, masks: Any, depth: Any) -> Any:
        """Lines of `depth` plies, and games that end within them, from `line[0]`."""
        rewards, stream = np.zeros(players, np.float32), np.zeros(1, np.uint64)
        following = np.zeros(depth + 1, np.int64)
        masks[0, :] = False
        legal(line[0], masks[0])
        level, whole, ended = 0, 0, 0
        while level >= 0:
            action = following[level]
            if action == num_actions:
                level -= 1
                continue
            following[level] += 1
            if not masks[level, action]:
                continue
            line[level + 1] = line[level]
            over = play(line[level + 1], action, stream, rewards)
            whole += level + 1 == depth
            ended += over
            if not over and level + 1 < depth:
                level += 1
                following[level] = 0
                masks[level, :] = False
                legal(line[level], masks[level])
        return whole, ended

    return compiled(walk, rules.key)


def leaves(rules: Rules, position: Any, depth: int) -> tuple[int, int]:
    """How many lines of exactly `depth` plies there are from a position, and how many games end in at most so many."""
    line = np.zeros(depth + 1, rules.state)
    line[0] = position
    whole, ended = _walker(rules)(line, np.zeros((depth + 1, rules.num_actions), bool), depth)
    return int(whole), int(ended)
