"""The loops of `agents.alpha_beta`, compiled for each game.

Values inside are those of player 0, who wants them high; whose turn it is is asked of the rules, since one player may
move twice in a row. A line that ends, or is left, at the search's ply `p` is worth its rewards times `1 - p * WANING`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numba
import numpy as np

from lanista.agents.clock import nanoseconds
from lanista.agents.position_table import EXACT, LOWER, UPPER, key_of, look_up, write
from lanista.envs.compiling import borrowed, compiled
from lanista.envs.rules import Rules

WANING = 2.0**-20  # a reward loses this share of itself with each ply, so that a win now is better than a win later
NO_LIMIT = 2**62
CLOCK_NODES = 1 << 14  # between two looks at the clock


@lru_cache(maxsize=64)
def search_kernel(rules: Rules) -> Callable[..., Any]:
    """The search over a batch of positions of one game, compiled once."""
    player, legal, play = rules.player, rules.legal, rules.play
    num_actions = rules.num_actions

    @numba.njit(inline="always")
    def next_move(frame: Any, level: Any, masks: Any, moves: Any, history: Any, by_history: Any) -> Any:
        """The table's move, the move that was too good at this ply before, then the others; -1 at the end."""
        if frame.following == 0:
            frame.following = 1
            if frame.first >= 0 and masks[level, frame.first]:
                masks[level, frame.first] = False
                return frame.first
        if frame.following == 1:
            frame.following = 2
            if masks[level, frame.killer]:
                masks[level, frame.killer] = False
                return frame.killer
        while frame.following < frame.count + 2:
            begin = frame.following - 2
            top = begin
            for place in range(begin + 1, frame.count if by_history else 0):
                if history[frame.mover, moves[level, place]] > history[frame.mover, moves[level, top]]:
                    top = place
            action = np.int64(moves[level, top])
            moves[level, top] = moves[level, begin]
            moves[level, begin] = action
            frame.following += 1
            if masks[level, action]:
                return action
        return -1

    @numba.njit(inline="always")
    def look_one_ply(line: Any, frames: Any, masks: Any, level: Any, limits: Any, rewards: Any, stream: Any) -> None:
        """What the moves of a position at the last ply before the horizon are worth: into its frame."""
        frame = frames[level]
        mover, low, high, best = frame.mover, frame.low, frame.high, frame.best
        killer, final, waned = frame.killer, True, 1 - (level + 1) * WANING
        for at in range(-1, num_actions):
            action = at if at >= 0 else killer
            if not masks[level, action]:
                continue
            masks[level, action] = False
            limits[0] -= 1
            line[level + 1] = line[level]
            rewards[0] = 0
            over = play(line[level + 1], action, stream, rewards)
            value = (frame.total + rewards[0]) * waned
            final &= over
            if mover == 0:
                best = max(best, value)
                low = max(low, value)
            else:
                best = min(best, value)
                high = min(high, value)
            if low >= high:
                final, killer = over, action
                break
        frame.best, frame.final, frame.killer = best, final, killer

    @numba.njit(inline="always")
    def enter(
        line: Any, bytes: Any, frames: Any, masks: Any, moves: Any, table: Any, bounds: Any, search: Any, depth: Any,
        level: Any, low: Any, high: Any, limits: Any, rewards: Any, stream: Any,
    ) -> Any:  # fmt: skip
        """Begin with the moves of the position that was reached; True if what it is worth is known: in `best`."""
        frame = frames[level]
        remaining = depth - level
        frame.mover = player(line[level])
        frame.best = -np.inf if frame.mover == 0 else np.inf
        frame.final, frame.first, frame.best_action, frame.following = True, -1, -1, 0
        # What the best and the worst end would be worth, had it come by the next move.
        waned = 1 - (level + 1) * WANING
        if high > bounds[1] * waned:
            high = bounds[1] * waned
            if low >= high:
                frame.best = high
                return True
        if low < bounds[0] * waned:
            low = bounds[0] * waned
            if low >= high:
                frame.best = low
                return True
        if remaining > 1 and len(table):
            frame.key, frame.check = key_of(bytes[level], frame.total, np.int64(level), search)
            at = look_up(table, frame.key, frame.check)
            if at >= 0:
                entry = table[at]
                if entry.final or entry.remaining == remaining:
                    value = entry.value
                    if (
                        entry.bound == EXACT
                        or (entry.bound == LOWER and value >= high)
                        or (entry.bound == UPPER and value <= low)
                    ):
                        frame.best, frame.final = value, entry.final
                        return True
                frame.first = entry.action
        frame.low = frame.first_low = low
        frame.high = frame.first_high = high
        for action in range(num_actions):
            masks[level, action] = False
        legal(line[level], masks[level])
        if remaining == 1:
            look_one_ply(line, frames, masks, level, limits, rewards, stream)
            return True
        count = 0
        for action in range(num_actions):
            if not masks[level, action]:
                continue
            # In a deep search an end that is good enough saves that of all others.
            ends = False
            if len(table):
                limits[0] -= 1
                line[level + 1] = line[level]
                rewards[0] = 0
                ends = play(line[level + 1], action, stream, rewards)
            if ends:
                masks[level, action] = False
                value = (frame.total + rewards[0]) * waned
                if frame.mover == 0:
                    if value > frame.best:
                        frame.best, frame.best_action = value, action
                    frame.low = max(frame.low, value)
                else:
                    if value < frame.best:
                        frame.best, frame.best_action = value, action
                    frame.high = min(frame.high, value)
                if frame.low >= frame.high:
                    return True
            else:
                moves[level, count] = action
                count += 1
        frame.count = count
        return False

    @numba.njit
    def explore(
        line: Any, bytes: Any, frames: Any, masks: Any, moves: Any, history: Any, table: Any, bounds: Any,
        search: Any, depth: Any, low: Any, high: Any, limits: Any, rewards: Any, stream: Any,
    ) -> Any:  # fmt: skip
        """The value of the position `line[1]`: exact inside (low, high), else a bound. And if that is final.

        `line` keeps one position a ply, `frames[level]` what is known of the one there. `limits` are the positions
        that may still be reached, those until the next look at the clock, and the clock's end; where they are used up
        nothing that is given counts.
        """
        level, entering = 1, True
        while True:
            frame = frames[level]
            value, final = 0.0, False
            if entering:
                if enter(
                    line, bytes, frames, masks, moves, table, bounds, search, depth, level, low, high, limits, rewards,
                    stream,
                ):  # fmt: skip
                    value, final, action = frame.best, frame.final, np.int64(-1)
                    level -= 1
                else:
                    entering = False
                    continue
            else:
                action = (
                    next_move(frame, level, masks, moves, history, len(table) > 0)
                    if frame.low < frame.high
                    else np.int64(-1)
                )
                if action < 0:
                    value, final = frame.best, frame.final
                    if len(table):
                        write(table, frame, depth - level, search)
                    level -= 1
            entering = False
            if action >= 0:
                limits[0] -= 1
                if limits[0] < limits[1]:
                    if limits[0] < 0 or nanoseconds() >= limits[2]:
                        limits[0] = -1
                        return 0.0, False
                    limits[1] = max(limits[0] - CLOCK_NODES, 0)
                frame.action = action
                line[level + 1] = line[level]
                rewards[:] = 0
                over = play(line[level + 1], action, stream, rewards)
                total = frame.total + rewards[0]
                if not over and level + 1 < depth:
                    low, high = frame.low, frame.high
                    level += 1
                    frames[level].total = total
                    entering = True
                    continue
                value, final = total * (1 - (level + 1) * WANING), over
            elif level == 0:
                return value, final
            else:
                frame = frames[level]
            frame.final &= final
            if frame.mover == 0:
                if value > frame.best:
                    frame.best, frame.best_action = value, frame.action
                frame.low = max(frame.low, value)
            else:
                if value < frame.best:
                    frame.best, frame.best_action = value, frame.action
                frame.high = min(frame.high, value)
            if frame.low >= frame.high:
                frame.final = final  # one good answer is enough
                frame.killer = frame.action
                remaining = depth - level
                history[frame.mover, frame.action] += remaining * remaining

    @numba.njit(inline="always")
    def settle(
        mover: Any, top: Any, at_least: Any, line: Any, bytes: Any, frames: Any, masks: Any, moves: Any, history: Any,
        table: Any, bounds: Any, search: Any, depth: Any, limits: Any, rewards: Any, stream: Any,
    ) -> Any:  # fmt: skip
        """What the position `line[1]` is worth, expected near `top`; if `at_least`, any bound worse than it will do.

        With a table, by questions with two answers, which cut off most: is it at least so much? Plaat et al. 1996,
        "Best-first fixed-depth minimax algorithms", MTD(f).
        """
        lower, upper, lower_final, upper_final = -np.inf, np.inf, False, False
        if len(table):
            low, high = (np.nextafter(top, -np.inf), top) if mover == 0 else (top, np.nextafter(top, np.inf))
        else:
            low = np.nextafter(top, -np.inf) if at_least and mover == 0 else -np.inf
            high = np.nextafter(top, np.inf) if at_least and mover == 1 else np.inf
        while True:
            value, final = explore(
                line, bytes, frames, masks, moves, history, table, bounds, search, depth, low, high, limits, rewards,
                stream,
            )  # fmt: skip
            if not len(table):
                return value, final
            if limits[0] < 0:
                return 0.0, False
            if value >= high:
                lower, lower_final = value, final
                low, high = value, np.nextafter(value, np.inf)
            else:
                upper, upper_final = value, final
                low, high = np.nextafter(value, -np.inf), value
            if lower >= upper:
                return lower, lower_final and upper_final
            if at_least and mover == 0 and upper < top:
                return upper, upper_final
            if at_least and mover == 1 and lower > top:
                return lower, lower_final

    @numba.njit(inline="always")
    def deepen(
        position: Any, mover: Any, order: Any, line: Any, bytes: Any, frames: Any, masks: Any, moves: Any,
        history: Any, table: Any, bounds: Any, search: Any, depth: Any, guess: Any, limits: Any, rewards: Any,
        stream: Any, best: Any,
    ) -> Any:  # fmt: skip
        """Search a position to a depth; mark the best of its moves `order`; give their value, and if it is final."""
        any_yet, all_final, top_final, top = False, True, True, guess
        for action in order:
            best[action] = False
        # Moves that end the game come first: what they are worth narrows the window of the others.
        for action in order:
            masks[0, action] = True
        for deeper in range(2 if depth > 1 else 1):
            for action in order:
                if not masks[0, action]:
                    continue
                line[1] = position
                rewards[0] = 0
                over = play(line[1], action, stream, rewards)
                if over or depth == 1:
                    value, final = rewards[0] * (1 - WANING), over
                    masks[0, action] = False
                elif not deeper:
                    continue
                else:
                    frames[1].total = rewards[0]
                    value, final = settle(
                        mover, top, any_yet, line, bytes, frames, masks, moves, history, table, bounds, search, depth,
                        limits, rewards, stream,
                    )  # fmt: skip
                    if limits[0] < 0:
                        return 0.0, False
                limits[0] -= 1
                all_final &= final
                if not any_yet or (value != top and (value > top) == (mover == 0)):
                    top, top_final, any_yet = value, final, True
                    for other in order:
                        best[other] = False
                if value == top:
                    best[action] = True
                    top_final &= final
        # An end that is as good as any, sooner than any that is not seen yet, needs no deeper search either.
        soon = (
            top > bounds[1] * (1 - (depth + 1) * WANING) if mover == 0 else top < bounds[0] * (1 - (depth + 1) * WANING)
        )
        return top, all_final or (top_final and soon)

    def search(
        positions: Any, line: Any, bytes: Any, frames: Any, masks: Any, moves: Any, history: Any, table: Any,
        bounds: Any, first: Any, most_nodes: Any, most_nanoseconds: Any, deepening: Any, best: Any, values: Any,
        depths: Any,
    ) -> Any:  # fmt: skip
        """Mark each position's best moves in `best`, write its value for the player to move; give the nodes."""
        line, bytes, frames, masks = borrowed(line), borrowed(bytes), borrowed(frames), borrowed(masks)
        moves, history, table, bounds = borrowed(moves), borrowed(history), borrowed(table), borrowed(bounds)
        own_rewards, own_stream, own_limits = np.zeros(2, np.float32), np.zeros(1, np.uint64), np.zeros(3, np.int64)
        rewards, stream, limits = borrowed(own_rewards), borrowed(own_stream), borrowed(own_limits)
        own_marked, own_order = np.zeros(num_actions, np.bool_), np.zeros(num_actions, np.int64)
        marked, order = borrowed(own_marked), borrowed(own_order)
        depth, nodes = len(line) - 1, 0
        positions, best = borrowed(positions), borrowed(best)
        for row in range(len(positions)):
            mover = player(positions[row])
            for action in range(num_actions):
                masks[0, action] = marked[action] = False
            legal(positions[row], masks[0])
            count = 0
            for action in range(num_actions):
                if masks[0, action]:
                    order[count] = action
                    count += 1
            for action in range(num_actions):
                history[0, action] = history[1, action] = 0
            value = 0.0
            end = nanoseconds() + most_nanoseconds if most_nanoseconds else np.int64(NO_LIMIT)
            limits[2] = end
            begin = 1 if deepening else depth
            reached = 0
            for plies in range(begin, depth + 1):
                # The first search is done whatever the limits are: there is always a move.
                allowed = most_nodes - reached if plies > begin else np.int64(NO_LIMIT)
                limits[0] = allowed
                limits[1] = max(allowed - CLOCK_NODES, 0) if most_nanoseconds and plies > begin else 0
                found, final = deepen(
                    positions[row], mover, order[:count], line, bytes, frames, masks, moves, history, table, bounds,
                    first + row, plies, value, limits, rewards, stream, marked,
                )  # fmt: skip
                if limits[0] < 0:
                    reached = most_nodes
                    break
                reached += allowed - limits[0]
                value = found
                for at in range(count):
                    best[row, order[at]] = marked[order[at]]
                depths[row] = plies
                place = 0
                for at in range(count):  # the best ones first, in the order of before
                    if marked[order[at]]:
                        action = order[at]
                        for back in range(at, place, -1):
                            order[back] = order[back - 1]
                        order[place] = action
                        place += 1
                if final or reached >= most_nodes or (most_nanoseconds and nanoseconds() >= end):
                    break
            nodes += reached
            values[row] = value if mover == 0 else -value
        # What was lent out lives until here.
        own_rewards[0] = own_stream[0] = own_limits[0] = own_marked[0] = own_order[0] = 0
        return nodes

    return compiled(search, rules.key)
