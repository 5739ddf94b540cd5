"""What PettingZoo's chess and Go call their moves: the environments themselves only number them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def move_names(env: Any, player: int) -> Mapping[int, str] | None:
    """The words of the legal actions of a player that must act; None where the environment has none.

    Args:
        env: an AEC environment without its wrappers.
        player: by its place in `possible_agents`.
    """
    name = str(env.metadata.get("name", ""))
    if name.startswith("chess_"):
        from pettingzoo.classic.chess import chess_utils

        board = env.board
        actions = chess_utils.legal_moves(board)
        return {action: board.san(chess_utils.action_to_move(board, action, player)) for action in actions}
    if name.startswith("go_"):
        from pettingzoo.classic.go import coords

        return {int(action): coords.to_gtp(coords.from_flat(int(action))) for action in env.next_legal_moves}
    return None
