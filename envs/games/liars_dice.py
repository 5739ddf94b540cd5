"""Liar's dice for two: bid how many dice of all show a face, or call the last bid a lie. Moves: `2x5`, `liar`.

Each bid must be higher: more dice, or as many of a higher face. Sixes, or whatever the highest face is, are wild: they
count for every face. Action: `sides * (count - 1) + face - 1`, or the last one for `liar`. Observation `information`
(2 + dice * sides + num_actions,) int8: who is looking, its dice in rising order, and the bids so far; the layout of
OpenSpiel's information state.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numba
import numpy as np

from lanista.envs.draws import below, mix, next_draw
from lanista.envs.hands import HIDDEN, all_starts, hands_svg, hidden_spec
from lanista.envs.rules import Rules
from lanista.errors import UsageError


def rules(dice: int = 1, sides: int = 6) -> Rules:
    """The rules with so many dice.

    Args:
        dice: of each player, 1 to 5.
        sides: of a die, 2 to 12.
    """
    if not (1 <= dice <= 5 and 2 <= sides <= 12):
        raise UsageError(f"liars_dice needs 1 to 5 dice of 2 to 12 sides, not {dice} and {sides}")
    bids = 2 * dice * sides
    liar = bids
    hand = dice * sides
    size = 2 + hand + bids + 1
    state = np.dtype(
        [
            ("dice", np.int8, (2 * dice,)),  # faces from 0; the first player's, then the second's, each rising
            ("said", np.int8, (bids + 1,)),
            ("bid", np.int16),  # the last one, -1 none
            ("ply", np.int16),
        ],
        align=True,
    )

    @numba.njit
    def new(state: Any, stream: Any) -> None:
        for die in range(2 * dice):
            face = below(next_draw(stream), sides)
            at = die
            while at % dice and state.dice[at - 1] > face:
                state.dice[at] = state.dice[at - 1]
                at -= 1
            state.dice[at] = face
        state.bid = -1

    @numba.njit
    def player(state: Any) -> Any:
        return state.ply & 1

    @numba.njit
    def legal(state: Any, mask: Any) -> None:
        for bid in range(state.bid + 1, bids):
            mask[bid] = True
        mask[liar] = state.bid >= 0

    @numba.njit
    def play(state: Any, action: Any, stream: Any, rewards: Any) -> Any:
        me = state.ply & 1
        state.ply += 1
        state.said[action] = 1
        if action != liar:
            state.bid = action
            return False
        count = 0
        for die in range(2 * dice):
            count += state.dice[die] == state.bid % sides or state.dice[die] == sides - 1
        winner = me if count <= state.bid // sides else 1 - me
        rewards[winner] = 1
        rewards[1 - winner] = -1
        return True

    @numba.njit
    def observe(state: Any, player: Any, out: Any) -> None:
        out[:] = 0
        out[player] = 1
        for die in range(dice):
            out[2 + die * sides + state.dice[player * dice + die]] = 1
        for bid in range(bids + 1):
            out[2 + hand + bid] = state.said[bid]

    @numba.njit
    def hash(state: Any) -> Any:
        value = np.uint64(state.ply)
        for die in range(2 * dice):
            value = mix(value * np.uint64(16) + np.uint64(state.dice[die]))
        for bid in range(bids + 1):
            value = mix(value * np.uint64(2) + np.uint64(state.said[bid]))
        return value

    def name_of(action: int) -> str:
        return "liar" if action == liar else f"{action // sides + 1}x{action % sides + 1}"

    def parse_move(state: Any, text: str) -> int:
        word = text.strip().lower()
        for action in range(bids + 1):
            if name_of(action) == word:
                return action
        raise ValueError(f"write a bid from 1x1 to {2 * dice}x{sides}, or liar")

    def shown(state: Any, who: int, player: int | None) -> list[str]:
        hands = state["dice"][who * dice : (who + 1) * dice].tolist()
        return [str(face + 1) if player in (None, who) else HIDDEN for face in hands]

    def said(state: Any) -> list[list[str]]:
        """The bids of each player: they rise, so their order is known."""
        bids_made = [name_of(action) for action in np.flatnonzero(state["said"]).tolist()]
        return [bids_made[0::2], bids_made[1::2]]

    def rolls() -> Iterator[list[int]]:
        """All rolls, each player's dice in rising order."""
        for faces in product(range(sides), repeat=2 * dice):
            yield [*sorted(faces[:dice]), *sorted(faces[dice:])]

    def text(state: Any, player: int | None) -> str:
        """Each player's dice, where they may be seen, and bids."""
        bids_made = said(state)
        return "\n".join(
            f"player {who}  {' '.join(shown(state, who, player))}  {' '.join(bids_made[who])}".rstrip()
            for who in range(2)
        )

    def picture(state: Any, player: int | None, last: int | None) -> str:
        """A row a player: dice and bids."""
        rows = [(f"player {who}", shown(state, who, player), ", ".join(said(state)[who][-4:])) for who in range(2)]
        return hands_svg(rows, int(state["ply"]) & 1)

    changed = ([] if dice == 1 else [f"dice={dice}"]) + ([] if sides == 6 else [f"sides={sides}"])
    return Rules(
        spec=hidden_spec(
            ":".join(["liars_dice", *([",".join(changed)] if changed else [])]),
            2,
            size,
            bids + 1,
            bids + 1,
            (-1.0, 1.0),
            "bid on hidden dice, or call the bid a lie",
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
        starts=lambda: all_starts(new, state, "dice", rolls()),
        print_end=lambda state: f"the bid {name_of(int(state['bid']))} was called",
        print_move=lambda state, action: name_of(action),
        parse_move=parse_move,
    )
