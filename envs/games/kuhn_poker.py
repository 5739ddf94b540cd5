"""Kuhn poker: one card each, one bet. Moves are `pass` (check or fold) and `bet` (or call).

Each player puts 1 in the pot and gets one of `players + 1` cards. Players pass or bet 1 in turn; after the first bet
each other player calls it or folds; the highest card that is still in wins the pot (Kuhn 1950; for more than two
players Abou Risk and Szafron 2010). Observation `information` (players + players + 1 + 2 * (2 * players - 1),) int8:
who is looking, its card, and for each move so far whether it was a pass or a bet; the layout of OpenSpiel's
information state.
"""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numba
import numpy as np

from lanista.envs.draws import mix
from lanista.envs.hands import HIDDEN, all_starts, deal, hands_svg, hidden_spec, parse_word
from lanista.envs.rules import Rules
from lanista.errors import UsageError

CARDS = "23456789TJQK"  # the last players + 1 of them
MOVES = ("pass", "bet")


def rules(players: int = 2) -> Rules:
    """The rules for so many players.

    Args:
        players: 2 to 10.
    """
    if not 2 <= players <= 10:
        raise UsageError(f"kuhn_poker is for 2 to 10 players, not {players}")
    longest = 2 * players - 1
    deck = players + 1
    size = players + deck + 2 * longest
    faces = CARDS[-deck:]
    state = np.dtype(
        [
            ("cards", np.int8, (players,)),
            ("moves", np.int8, (longest,)),
            ("ply", np.int8),
            ("bettor", np.int8),  # who bet first, -1 nobody yet
        ],
        align=True,
    )

    @numba.njit
    def new(state: Any, stream: Any) -> None:
        deal(deck, state.cards, stream)
        state.bettor = -1

    @numba.njit
    def player(state: Any) -> Any:
        return np.int64(state.ply) % players

    @numba.njit
    def legal(state: Any, mask: Any) -> None:
        mask[0] = mask[1] = True

    @numba.njit
    def settle(state: Any, rewards: Any) -> None:
        """Give the pot to the highest card that is in; without branches, which random play makes unforeseeable."""
        best: Any = -1
        winner: Any = 0
        pot: Any = 0
        for who in range(players):
            # A player's second move is there only if it passed at first; moves not made are zero.
            again = state.moves[who + players] if who + players < longest else 0
            bet = np.int64(state.moves[who] | again)
            rewards[who] = -1 - bet
            pot += 1 + bet
            card = state.cards[who] if bet or state.bettor < 0 else -1
            winner = who if card > best else winner
            best = max(card, best)
        rewards[winner] += pot

    @numba.njit
    def play(state: Any, action: Any, stream: Any, rewards: Any) -> Any:
        state.moves[state.ply] = action
        if action == 1 and state.bettor < 0:
            state.bettor = state.ply
        state.ply += 1
        if state.ply != (players if state.bettor < 0 else state.bettor + players):
            return False
        settle(state, rewards)
        return True

    @numba.njit
    def observe(state: Any, player: Any, out: Any) -> None:
        out[:] = 0
        out[player] = 1
        out[players + state.cards[player]] = 1
        for ply in range(longest):
            made, move = np.int64(ply < state.ply), np.int64(state.moves[ply])
            out[players + deck + 2 * ply] = made & (1 - move)
            out[players + deck + 2 * ply + 1] = made & move

    @numba.njit
    def hash(state: Any) -> Any:
        value = np.uint64(state.ply)
        for who in range(players):
            value = mix(value * np.uint64(16) + np.uint64(state.cards[who]))
        for ply in range(state.ply):
            value = mix(value * np.uint64(2) + np.uint64(state.moves[ply]))
        return value

    def text(state: Any, player: int | None) -> str:
        """Each player's card, where it may be seen, and moves."""
        lines = []
        for who in range(players):
            moves = [MOVES[state["moves"][ply]] for ply in range(who, state["ply"], players)]
            lines.append(f"player {who}  {shown(state, who, player)}  {' '.join(moves)}".rstrip())
        return "\n".join(lines)

    def shown(state: Any, who: int, player: int | None) -> str:
        return faces[state["cards"][who]] if player in (None, who) else HIDDEN

    def picture(state: Any, player: int | None, last: int | None) -> str:
        """A row a player: card and moves."""
        rows = []
        for who in range(players):
            moves = ", ".join(MOVES[state["moves"][ply]] for ply in range(who, state["ply"], players))
            rows.append((f"player {who}", shown(state, who, player), moves))
        return hands_svg(rows, int(state["ply"]) % players)

    return Rules(
        spec=hidden_spec(
            "kuhn_poker" if players == 2 else f"kuhn_poker:players={players}",
            players,
            size,
            len(MOVES),
            longest,
            (-2.0, 2.0 * (players - 1)),
            "one hidden card each, one bet",
        ),
        modality="information",
        state=state,
        new=new,
        player=player,
        legal=legal,
        play=play,
        observe=observe,
        hash=hash,
        picture=picture,
        text=text,
        starts=lambda: all_starts(new, state, "cards", permutations(range(deck), players)),
        print_end=lambda state: "showdown" if sum(int(move) for move in state["moves"]) != 1 else "the others folded",
        print_move=lambda state, action: MOVES[action],
        parse_move=lambda state, text: parse_word(text, MOVES, {"check": "pass", "fold": "pass", "call": "bet"}),
    )
