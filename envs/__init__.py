"""Games: the loop's contracts, native batched games, and doors to everyone else's."""

# Bound first: else importing a game later would cover the functions `games` and `doors` by the packages of these names.
import lanista.envs.doors
import lanista.envs.games  # noqa: F401
from lanista.envs.catalogue import doors, games, make
from lanista.envs.core import Agent, Choice, Game, GameSpec, Outcome, Ply, Turn, play

__all__ = ["Agent", "Choice", "Game", "GameSpec", "Outcome", "Ply", "Turn", "doors", "games", "make", "play"]
