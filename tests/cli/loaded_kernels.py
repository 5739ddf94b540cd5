"""Imported by a stove: the kernels of a game that its forks train on, which each would else take from the disk."""

import lanista

lanista.make("tictactoe", 8).reset(0)
