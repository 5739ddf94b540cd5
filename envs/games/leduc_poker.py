"""Leduc hold'em: a hidden card each, a public one between two rounds of betting. Moves: `fold`, `call`, `raise`.

Each player puts 1 in the pot. A raise is 2 in the first round and 4 in the second, at most two a round; folding is
legal only when there is a raise to answer. A pair with the public card wins, else the higher card; equal hands share
the pot (Southey et al. 2005). The deck has two suits of `players + 1` ranks. Observation `information` (int8): who is
looking, its card, the public card, and for each move of either round whether it was a call or a raise, or a fold,
which is both; but for folds the layout of OpenSpiel's information state, cards numbered `2 * rank + suit`.
"""

from __future__ import annotations

from itertools import permutations, product
from typing import Any

import numba
import numpy as np

from lanista.envs.core import Symmetry
from lanista.envs.draws import mix
from lanista.envs.hands import HIDDEN, all_starts, deal, hands_svg, hidden_spec, parse_word
from lanista.envs.rules import Rules
from lanista.errors import UsageError

RANKS = "23456789TJQKA"  # of more than three the last players + 1, else J, Q, K
MOVES = ("fold", "call", "raise")
FOLD, CALL, RAISE = range(3)
SIGNS = (("♥", "♠"), ("h", "s"))  # for pictures and for terminals
RAISES = 2  # the most in a round
MOST_EXCHANGED = 4  # ranks: there are as many symmetries as sets of them


def rules(players: int = 2) -> Rules:
    """The rules for so many players.

    Args:
        players: 2 to 10.
    """
    if not 2 <= players <= 10:
        raise UsageError(f"leduc_poker is for 2 to 10 players, not {players}")
    ranks = players + 1
    deck = 2 * ranks
    most = 3 * players - 2  # moves in a round
    size = players + 2 * deck + 2 * most * 2
    names = "JQK" if ranks == 3 else RANKS[-ranks:]
    state = np.dtype(
        [
            ("cards", np.int8, (players + 1,)),  # each player's, and the one that becomes public
            ("moves", np.int8, (2, most)),  # of each round
            ("count", np.int8, (2,)),  # how many moves each round has
            ("put", np.int16, (players,)),  # what each player has put in the pot
            ("folded", np.int8, (players,)),
            ("playing", np.int8),  # how many have not folded
            ("round", np.int8),
            ("raises", np.int8),  # in this round
            ("calls", np.int8),  # since the last raise
            ("stake", np.int16),  # what a player must have put in to stay
            ("mover", np.int8),
        ],
        align=True,
    )

    @numba.njit
    def new(state: Any, stream: Any) -> None:
        deal(deck, state.cards, stream)
        state.put[:] = 1
        state.stake = 1
        state.playing = players

    @numba.njit
    def player(state: Any) -> Any:
        return np.int64(state.mover)

    @numba.njit
    def legal(state: Any, mask: Any) -> None:
        mask[FOLD] = state.stake > state.put[state.mover]
        mask[CALL] = True
        mask[RAISE] = state.raises < RAISES

    @numba.njit
    def after(state: Any, who: Any) -> Any:
        """The next player from this one on who has not folded."""
        while state.folded[who % players]:
            who += 1
        return who % players

    @numba.njit
    def strength(state: Any, who: Any) -> Any:
        rank = state.cards[who] // 2
        return rank + ranks * (rank == state.cards[players] // 2)

    @numba.njit
    def share(state: Any, rewards: Any) -> None:
        """Give the pot to the best hand, or in equal parts to the best hands."""
        pot, best, winners = 0, -1, 0
        for who in range(players):
            pot += state.put[who]
            if not state.folded[who]:
                value = strength(state, who)
                if value > best:
                    best, winners = value, 0
                winners += value == best
        for who in range(players):
            rewards[who] = -state.put[who]
            if not state.folded[who] and strength(state, who) == best:
                rewards[who] += pot / winners

    @numba.njit
    def play(state: Any, action: Any, stream: Any, rewards: Any) -> Any:
        me = state.mover
        state.moves[state.round, state.count[state.round]] = action
        state.count[state.round] += 1
        if action == FOLD:
            state.folded[me] = 1
            state.playing -= 1
        elif action == CALL:
            state.put[me] = state.stake
            state.calls += 1
        else:
            state.stake += 2 * (state.round + 1)
            state.put[me] = state.stake
            state.raises += 1
            state.calls = 0
        if state.playing == 1:
            share(state, rewards)
            return True
        if state.calls == state.playing - (state.raises > 0):
            if state.round == 1:
                share(state, rewards)
                return True
            state.round = 1
            state.raises = state.calls = 0
            state.mover = after(state, 0)
        else:
            state.mover = after(state, me + 1)
        return False

    @numba.njit
    def observe(state: Any, player: Any, out: Any) -> None:
        out[:] = 0
        out[player] = 1
        out[players + state.cards[player]] = 1
        if state.round == 1:
            out[players + deck + state.cards[players]] = 1
        for turn in range(2):
            for number in range(state.count[turn]):
                move = state.moves[turn, number]
                place = players + 2 * deck + 2 * (turn * most + number)
                out[place] = move != RAISE
                out[place + 1] = move != CALL

    @numba.njit
    def hash(state: Any) -> Any:
        value = np.uint64(state.round)
        for who in range(players + 1):
            value = mix(value * np.uint64(32) + np.uint64(state.cards[who]))
        for turn in range(2):
            value = mix(value * np.uint64(16) + np.uint64(state.count[turn]))
            for number in range(state.count[turn]):
                value = mix(value * np.uint64(4) + np.uint64(state.moves[turn, number]))
        return value

    def face(state: Any, place: int, signs: tuple[str, str]) -> str:
        card = int(state["cards"][place])
        return names[card // 2] + signs[card % 2]

    def said(state: Any) -> str:
        rounds = [[MOVES[move] for move in state["moves"][turn][: state["count"][turn]]] for turn in range(2)]
        return " / ".join(" ".join(moves) for moves in rounds if moves)

    def lines(state: Any, player: int | None, signs: tuple[str, str]) -> list[tuple[str, list[str], str]]:
        rows = []
        for who in range(players):
            card = face(state, who, signs) if player in (None, who) else HIDDEN
            rows.append((f"player {who}", [card], f"{state['put'][who]} in the pot"))
        public = [face(state, players, signs)] if state["round"] else []
        return [*rows, ("public", public, said(state))]

    def text(state: Any, player: int | None) -> str:
        """Each player's card, where it may be seen, what it put in the pot, the public card, the betting."""
        return "\n".join(
            f"{who}  {''.join(cards)}  {said}".rstrip() for who, cards, said in lines(state, player, SIGNS[1])
        )

    limit = 1 + 2 * RAISES + 4 * RAISES
    return Rules(
        spec=hidden_spec(
            "leduc_poker" if players == 2 else f"leduc_poker:players={players}",
            players,
            size,
            len(MOVES),
            2 * most,
            (-float(limit), float(limit * (players - 1))),
            "a hidden card each, a public one, two rounds of betting",
            _suits_exchanged(players, ranks, size),
        ),
        modality="information",
        state=state,
        new=new,
        player=player,
        legal=legal,
        play=play,
        observe=observe,
        hash=hash,
        picture=lambda state, player, last: hands_svg(lines(state, player, SIGNS[0]), int(state["mover"])),
        text=text,
        starts=lambda: all_starts(new, state, "cards", permutations(range(deck), players + 1)),
        print_end=lambda state: "the others folded" if state["playing"] == 1 else "showdown",
        print_move=lambda state, action: MOVES[action],
        parse_move=lambda state, text: parse_word(text, MOVES, {"check": "call", "bet": "raise"}),
    )


def _suits_exchanged(players: int, ranks: int, size: int) -> tuple[Symmetry, ...]:
    """The two cards of any ranks may be exchanged; of more than four ranks only those of all at once."""
    chosen = [*product((False, True), repeat=ranks)][1:] if ranks <= MOST_EXCHANGED else [(True,) * ranks]
    made = []
    for exchanged in chosen:
        cells = np.arange(size)
        for first in (players, players + 2 * ranks):  # the own card, the public one
            for rank in np.flatnonzero(exchanged):
                place = first + 2 * rank
                cells[[place, place + 1]] = cells[[place + 1, place]]
        name = "suits of " + "".join(str(rank) for rank in np.flatnonzero(exchanged))
        made.append(Symmetry(name, {"information": tuple(cells.tolist())}, tuple(range(len(MOVES)))))
    return tuple(made)
