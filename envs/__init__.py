"""Games: the loop's contracts, native batched games, and doors to everyone else's.

`core.py` and the loop, `loop.py`, are to be read first; `rules.py` is what a native game of `games/` offers,
`batched.py` the frame around it, `doors/` opens other libraries' environments, `catalogue.py` finds both.
It may import of `perception` only the voices and data that missions are said by; `agents` and all above may import it.
"""

# Bound first: else importing a game later would cover the functions `games` and `doors` by the packages of these names.
import lanista.envs.doors
import lanista.envs.games  # noqa: F401
from lanista.envs.catalogue import doors, games, make
from lanista.envs.core import Agent, Choice, Game, GameSpec, Outcome, Ply, Turn
from lanista.envs.loop import play

__all__ = ["Agent", "Choice", "Game", "GameSpec", "Outcome", "Ply", "Turn", "doors", "games", "make", "play"]
