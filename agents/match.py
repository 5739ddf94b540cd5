"""Play scheduled games of the one loop, batched, and say how each ended.

Both training (ratings on the way) and the arena (tournaments) play through `play_games`; neither knows how.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lanista.envs.core import Agent


@dataclass(frozen=True)
class Scheduled:
    """A game that is to be played.

    Attributes:
        seats: for each player, the index of the agent that sits there.
        seed: of the game's own random stream.
        opening: actions that are played before the first turn.
        label: the caller's own number of the game; handed back.
    """

    seats: tuple[int, ...]
    seed: int
    opening: tuple[int, ...] = ()
    label: int = 0


@dataclass(frozen=True)
class Played:
    """A game that ended.

    Attributes:
        scheduled: what was to be played.
        moves: all actions in order, the opening included.
        returns: each player's sum of rewards; of a forfeit, the least return for the player that failed and the
            greatest for the others.
        reason: "end" by the rules, "truncated" by the game's length, "broken" (void: the environment raised), or the
            failure's own words ("illegal action 3", "crashed: ...").
        at_fault: the player that failed, or None.
    """

    scheduled: Scheduled
    moves: tuple[int, ...]
    returns: tuple[float, ...]
    reason: str
    at_fault: int | None = None


def play_games(
    game: str, agents: Sequence[Agent], schedule: Sequence[Scheduled], *, copies: int = 1024, seed: int = 0
) -> Iterator[list[Played]]:
    """Play exactly the scheduled games, many at once, and give those that finish together as they finish.

    Args:
        game: the game's string.
        agents: who plays; `Scheduled.seats` are indices in it.
        schedule: the games; taken in order as copies become free.
        copies: at most so many are played together.
        seed: the agents' own random streams are drawn from it.
    """
    raise NotImplementedError
