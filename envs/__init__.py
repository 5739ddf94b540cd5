"""Games: the loop's contracts, native batched games, and doors to everyone else's."""

from lanista.envs.catalogue import doors, games, make
from lanista.envs.core import Agent, Choice, Game, GameSpec, Outcome, Ply, Turn, play

__all__ = ["Agent", "Choice", "Game", "GameSpec", "Outcome", "Ply", "Turn", "doors", "games", "make", "play"]
