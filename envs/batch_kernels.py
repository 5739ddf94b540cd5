"""From scalar rules to a batch: the compiled loops around every native game.

They are made once a game with Numba and found again on the disk. They freeze finished copies, check legality, fill
masks and observations, keep histories and random streams, open and restart games.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numba
import numpy as np

from lanista.envs.compiling import compiled
from lanista.envs.draws import below, mix, next_draw, pick
from lanista.envs.rules import Rules


@dataclass(frozen=True)
class Kernels:
    """The compiled loops of a game: begin games, show turns, step, and watch a position as any player."""

    begin: Callable[..., Any]
    show: Callable[..., Any]
    step: Callable[..., Any]
    watch: Callable[..., Any]


def _kernels(rules: Rules) -> Kernels:
    """The batch loops of a game."""
    new, player, legal, play, observe = rules.new, rules.player, rules.legal, rules.play, rules.observe
    num_actions, players = rules.num_actions, rules.spec.players

    @numba.njit
    def start(states: Any, copy: Any, streams: Any, seeds: Any, plies: Any, games: Any, serial: Any) -> None:
        states[copy] = states[len(states) - 1]  # the last record is kept blank
        stream = streams[copy : copy + 1]
        seeds[copy] = next_draw(stream)
        new(states[copy], stream)
        plies[copy] = 0
        games[copy] = serial[0]
        serial[0] += 1

    @numba.njit
    def open_randomly(
        states: Any, copy: Any, streams: Any, seeds: Any, plies: Any, games: Any, serial: Any, history: Any, most: Any
    ) -> None:
        """Play 0 to `most` random legal plies; a start whose random plies ended the game is drawn again."""
        mask = np.empty(num_actions, np.bool_)
        rewards = np.zeros(players, np.float32)
        stream = streams[copy : copy + 1]
        for _ in range(100):
            wanted = below(next_draw(stream), most + 1)
            over = False
            for ply in range(wanted):
                mask[:] = False
                legal(states[copy], mask)
                action = pick(mask, next_draw(stream))
                history[copy, ply] = action
                over = play(states[copy], action, stream, rewards)
                plies[copy] += 1
                if over:
                    break
            if not over:
                return
            start(states, copy, streams, seeds, plies, games, serial)

    def begin(
        states: Any, copies: Any, streams: Any, seeds: Any, plies: Any, games: Any, serial: Any, history: Any,
        begins: Any, placed: Any, openings: Any, lengths: Any, share: Any, most: Any,
    ) -> Any:  # fmt: skip
        """Start games, those that are placed from positions; -1, or the row whose opening is illegal or ends it."""
        mask = np.empty(num_actions, np.bool_)
        rewards = np.zeros(players, np.float32)
        for row in range(len(copies)):
            copy = copies[row]
            stream = streams[copy : copy + 1]
            start(states, copy, streams, seeds, plies, games, serial)
            if len(placed) and placed[row]:
                states[copy] = begins[row]
            for ply in range(lengths[row]):
                action = openings[row, ply]
                mask[:] = False
                legal(states[copy], mask)
                if action < 0 or action >= num_actions or not mask[action]:
                    return row
                history[copy, ply] = action
                plies[copy] += 1
                if play(states[copy], action, stream, rewards):
                    return row
            if share > 0 and (next_draw(stream) >> np.uint64(11)) * 2.0**-53 < share:
                open_randomly(states, copy, streams, seeds, plies, games, serial, history, most)
        return -1

    def show(
        states: Any, copies: Any, seeds: Any, plies: Any, players_out: Any, draws: Any, masks: Any, out: Any
    ) -> None:
        for row in range(len(copies)):
            copy = copies[row]
            who = player(states[copy])
            players_out[row] = who
            draws[row] = mix(seeds[copy] + np.uint64(plies[copy]) * np.uint64(0x9E3779B97F4A7C15))
            legal(states[copy], masks[row])
            observe(states[copy], who, out[row])

    def step(
        states: Any, copies: Any, rows: Any, actions: Any, masks: Any, streams: Any, seeds: Any, plies: Any,
        games: Any, serial: Any, history: Any, rewards: Any, terminated: Any, finished: Any, alive: Any,
        restart: Any, share: Any, most: Any,
    ) -> Any:  # fmt: skip
        """Play; -1, or the row whose action is illegal, and then nothing was played."""
        for i in range(len(actions)):
            action = actions[i]
            if action < 0 or action >= num_actions or not masks[rows[i], action]:
                return i
        for i in range(len(actions)):
            copy = copies[rows[i]]
            action = actions[i]
            history[copy, plies[copy]] = action
            plies[copy] += 1
            stream = streams[copy : copy + 1]
            if play(states[copy], action, stream, rewards[copy]):
                finished[copy] = True
                terminated[copy] = True
                if restart:
                    start(states, copy, streams, seeds, plies, games, serial)
                    if share > 0 and (next_draw(stream) >> np.uint64(11)) * 2.0**-53 < share:
                        open_randomly(states, copy, streams, seeds, plies, games, serial, history, most)
                else:
                    alive[copy] = False
        return -1

    def watch(states: Any, copy: Any, who: Any, out: Any) -> None:
        observe(states[copy], who, out)

    return Kernels(*(compiled(loop, rules.key) for loop in (begin, show, step, watch)))


@lru_cache(maxsize=64)
def kernels(rules: Rules) -> Kernels:
    """The batch loops of a game, made once a process."""
    return _kernels(rules)
