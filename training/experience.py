"""From what was played to what is learned from: rows are linked to what followed them, and their advantages told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lanista.envs.core import Array, Bools, Floats, GameSpec, Ints, Outcome, Turn
from lanista.training.advantage_estimation import Trajectory, advantages
from lanista.training.linking import END, UNKNOWN, link
from lanista.training.ppo import Batch


@dataclass(frozen=True)
class Part:
    """The rows of one role in a step that the learner played.

    Attributes:
        rows: (r,) which rows of the step's turn, rising.
        turn: these rows alone, in the shapes of their role.
        samples: what the network's head drew; (r,) or (r, dimensions).
        log_probability: of the samples; (r,).
        memory: what each row's seat remembered before; (r, state_size), (r, 0) without a memory.
    """

    rows: Ints
    turn: Turn
    samples: Array
    log_probability: Floats
    memory: Floats


@dataclass
class Step:
    """One ply of the loop, with what of it was not handed out yet.

    Attributes:
        turn: what was asked.
        parts: role, by its number -> its rows that the learner played.
        value: (k,) of each row for its player, whoever played it.
        outcome: what followed.
        final: (f,) values of the rows that were cut off.
        open: (k,) bool, the learner's rows that are not handed out yet.
    """

    turn: Turn
    parts: Mapping[int, Part]
    value: Floats
    outcome: Outcome
    final: Floats | None
    open: Bools


def mover_view(spec: GameSpec) -> bool:
    """Whether the copy's next row, whoever moves, can stand for what follows a move, its sign by comparing players.

    True for two-player zero-sum turn-based games without hidden information. Else each seat is followed along its own
    turns: with hidden cards the opponent's value is of what it sees, not of what this seat knows.
    """
    return spec.zero_sum and spec.players == 2 and spec.kind == "turn-based" and spec.perfect_information


def assemble(
    spec: GameSpec,
    steps: list[Step],
    upcoming: Turn,
    upcoming_value: Floats,
    gamma: float,
    gae_lambda: float,
    seat: int | None = None,
) -> tuple[dict[int, Batch], list[Step], int]:
    """Link rows to what followed them, tell the advantages, and split off the rows that must wait.

    Each row's rewards are those of its own seat. What follows it is that seat's next row; only in games of `mover_view`
    it is the copy's next row, whose sign changes with the mover.

    Args:
        spec: the game's.
        steps: the plies in order; the first may be left over from the last call.
        upcoming: the seats that act next, and `upcoming_value` (k,) their values: bootstraps for the last rows.
        seat: only this player's rows are given; those of the others are let go.

    Returns:
        Role, by its number -> the batch of all of its open rows that could be told; the steps that still have open
        rows; and how many rows were told, those that were let go among them.
    """
    sizes = [len(step.turn) for step in steps]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    outcomes = [step.outcome for step in steps]
    shape = (len(steps), *outcomes[0].rewards.shape)
    finals = [None if step.final is None else step.outcome.final for step in steps]
    cuts = [final for final in finals if final is not None]
    none = np.zeros(0, np.int64)
    over = np.concatenate([outcome.finished for outcome in outcomes])
    over |= np.concatenate([outcome.broken for outcome in outcomes])
    following, rewards, sign = link(
        np.concatenate([step.turn.copies for step in steps]),
        np.concatenate([step.turn.players for step in steps]),
        starts,
        np.concatenate([outcome.rewards for outcome in outcomes]).reshape(shape),
        np.concatenate([outcome.terminated for outcome in outcomes]).reshape(shape),
        np.concatenate([outcome.truncated for outcome in outcomes]).reshape(shape),
        over.reshape(shape[:2]),
        np.concatenate([none, *(cut.copies for cut in cuts)]),
        np.concatenate([none, *(cut.players for cut in cuts)]),
        np.cumsum([0, *(0 if final is None else len(final) for final in finals)]),
        np.array(upcoming.copies),
        np.array(upcoming.players),
        mover_view(spec),
    )
    tail = [upcoming_value, *(step.final for step in steps if step.final is not None)]
    value = np.concatenate([step.value for step in steps])
    # A row that waits must tell the rows before it nothing but its value: its own advantage is made 0.
    known = following != UNKNOWN
    rewards[~known] = value[~known]
    gain = advantages(
        Trajectory(value, rewards, np.maximum(following, END), sign, np.concatenate(tail)), gamma, gae_lambda
    )
    told = known & np.concatenate([step.open for step in steps])
    given = told if seat is None else told & (np.concatenate([step.turn.players for step in steps]) == seat)
    roles = sorted({role for step in steps for role in step.parts})
    batches = {role: _batch(spec, role, steps, starts, given, gain, value) for role in roles}
    for number, step in enumerate(steps):
        step.open &= ~told[int(starts[number]) : int(starts[number + 1])]
    # From the first open row on every step is kept: the rewards in between belong to it.
    first = next((number for number, step in enumerate(steps) if step.open.any()), len(steps))
    return batches, steps[first:], int(np.count_nonzero(told))


def _batch(
    spec: GameSpec, role: int, steps: list[Step], starts: Ints, told: Bools, gain: Floats, value: Floats
) -> Batch:
    """The told rows of a role as a batch: in the order they were played, or, with a memory, seat after seat.

    Args:
        spec: the game's.
        role: its number.
        steps: with `rows` rows together, and at least one with this role.
        starts: (steps + 1,) the number of each step's first row.
        told: (rows,) which are given.
        gain, value: (rows,) their advantages and values.
    """
    found = [(int(starts[at]), step.parts[role]) for at, step in enumerate(steps) if role in step.parts]
    parts = [part for _, part in found]
    places = np.concatenate([start + part.rows for start, part in found])  # among all rows
    chosen = np.flatnonzero(told[places])  # among this role's
    memory = np.concatenate([part.memory for part in parts])[chosen] if parts[0].memory.shape[1] else None
    stream = None
    if memory is not None:
        games = np.concatenate([part.turn.games for part in parts])[chosen]
        stream = games * spec.players + np.concatenate([part.turn.players for part in parts])[chosen]
        order = np.argsort(stream, kind="stable")
        chosen, memory, stream = chosen[order], memory[order], stream[order]
    rows = places[chosen]
    return Batch(
        observation={
            name: np.concatenate([part.turn.observation[name] for part in parts])[chosen]
            for name in parts[0].turn.observation
        },
        legal=None
        if parts[0].turn.legal is None
        else np.concatenate([np.asarray(part.turn.legal) for part in parts])[chosen],
        actions=np.concatenate([part.samples for part in parts])[chosen],
        log_probability=np.concatenate([part.log_probability for part in parts])[chosen],
        advantages=gain[rows],
        returns=np.clip(gain[rows] + value[rows], *spec.returns),
        stream=stream,
        memory=memory,
    )
