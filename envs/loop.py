"""The one loop: seats are shown their rows, their answers are checked, the game is stepped.

What passes through it, and the shapes, are in `core.py`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from gymnasium import spaces

from lanista.envs.core import (
    Agent,
    Answered,
    Array,
    Ask,
    Bools,
    Choice,
    Failure,
    Game,
    GameSpec,
    Ints,
    Outcome,
    Ply,
    Turn,
    agent_name,
    start_agent,
)
from lanista.envs.joined_choices import joined


def play(
    game: Game,
    agents: Sequence[Agent],
    seats: Ints | None = None,
    *,
    seed: int = 0,
    ask: Ask | None = None,
    memories: list[Array | None] | None = None,
) -> Iterator[Ply]:
    """The one loop: show each agent its rows, check the answers, step the game, until no copy goes on.

    If an agent raises on a batch it is asked row by row, and only the failing rows forfeit: their copies are stopped
    and named in `Ply.failures`. An illegal action forfeits likewise. Rows that wait stay open while other copies go
    on; the loop still yields, so that a caller may sleep or look at a clock.

    Args:
        game: reset by the caller. Copies that finish restart by themselves, or the caller resets them between plies.
        agents: who plays.
        seats: which agent sits where; read at every turn, so the caller may seat new games between plies. None seats
            agent `p % len(agents)` at player `p`.
        seed: agents draw their own random streams from it and their name.
        ask: asks an agent instead of `ask_agent`; what it has fail loses, whoever is to blame.
        memories: what each agent remembers of its seats, (copies, players, *memory), None as long as it has told
            nothing. Kept up to date here, and read at every turn, so that a caller may save it and go on from it.
    """
    ask = ask or ask_agent
    players = game.spec.players
    if seats is None:
        seats = np.tile(np.arange(players) % len(agents), (game.copies, 1))  # (n, players)
    if memories is None:
        memories = [None] * len(agents)
    for agent in agents:
        # By name, so that what an agent draws does not depend on who else is at the table.
        start_agent(agent, game.spec, (seed + zlib.crc32(agent_name(agent).encode())) % 2**63)
    while len(turn := game.turn()):
        answers = tuple(
            Answered(number, rows, ask(agents[number], turn, rows, memories[number], game.spec))
            for number, rows in _split(turn, seats, game.spec)
        )
        rows, actions, failures = _gather(turn, answers, game.spec)
        for answer in answers:
            _remember(memories, answer, turn, game.copies, players)
        outcome = game.step(actions, rows if len(rows) < len(turn) else None)
        if failures:
            game.stop(np.array(sorted({failure.copy for failure in failures})))
        _forget(memories, agents, turn, outcome, failures)
        yield Ply(turn, answers, rows, actions, outcome, failures)


def _split(turn: Turn, seats: Ints, spec: GameSpec) -> Iterator[tuple[int, Ints]]:
    """Which agent answers which rows; a call never mixes roles."""
    who = seats[turn.copies, turn.players]  # (k,)
    if len(spec.roles) > 1:
        who = who * len(spec.roles) + np.asarray(spec.role_of)[turn.players]
    if len(who) == 1 or (who[0] == who[-1] and (who == who[0]).all()):
        yield int(who[0]) // len(spec.roles), np.arange(len(turn))
        return
    for key in np.flatnonzero(np.bincount(who)).tolist():
        yield key // len(spec.roles), np.flatnonzero(who == key)


def ask_agent(agent: Agent, turn: Turn, rows: Ints, memory: Array | None, spec: GameSpec) -> Choice:
    """One agent's answer to its rows, with what it did wrong in `failed`.

    Args:
        agent: who is asked.
        turn: all that must act now.
        rows: (r,) those that this agent answers.
        memory: (n, players, *memory) what it remembers of every seat.
        spec: the game.
    """
    mine = turn if len(rows) == len(turn) else turn.take(rows)
    remembered = None if memory is None else memory[mine.copies, mine.players]
    try:
        choice = agent.act(mine, remembered)
        wrong = wrong_actions(mine, choice, spec, remembered)
    except Exception as error:
        if len(mine) == 1:
            return Choice(np.zeros(1, np.int64), failed={0: f"crashed: {type(error).__name__}: {error}"[:200]})
        return _ask_one_by_one(agent, mine, remembered, spec)
    return replace(choice, failed={**wrong, **choice.failed}) if wrong else choice


def _ask_one_by_one(agent: Agent, mine: Turn, remembered: Array | None, spec: GameSpec) -> Choice:
    """Find the rows on which an agent fails; the others are answered."""
    choices = []
    for row in range(len(mine)):
        memory = None if remembered is None else remembered[row : row + 1]
        single = mine.take(np.array([row]))
        try:
            choice = agent.act(single, memory)
            choices.append(replace(choice, failed={**wrong_actions(single, choice, spec, memory), **choice.failed}))
        except Exception as error:
            reason = f"crashed: {type(error).__name__}: {error}"[:200]
            choices.append(Choice(np.zeros(1, np.int64), failed={0: reason}))
    return joined(choices)


def wrong_actions(turn: Turn, choice: Choice, spec: GameSpec, remembered: Array | None = None) -> dict[int, str]:
    """Check the actions that are no failures and do not wait.

    Args:
        turn: what was asked.
        choice: the answer.
        spec: the game.
        remembered: (k, *memory) what the agent was given of its own; what it wants back next must be of that shape.

    Returns:
        Row -> why its action may not be played.

    Raises:
        ValueError: the answer is of the wrong shape or type.
    """
    actions = np.asarray(choice.actions)
    if len(actions) != len(turn):
        raise ValueError(f"answered {len(actions)} rows of {len(turn)}")
    for name in ("waiting", "memory"):
        value = getattr(choice, name)
        if value is not None and len(value) != len(turn):
            raise ValueError(f"gave {name} for {len(value)} rows of {len(turn)}")
    if choice.memory is not None:
        _check_memory(choice.memory, remembered)
    space = spec.roles[0].action if len(spec.roles) == 1 else spec.role(int(turn.players[0])).action
    if isinstance(space, spaces.Discrete) and turn.legal is not None:
        if actions.ndim != 1 or actions.dtype.kind not in "iu":
            raise ValueError(f"actions must be (k,) integers, not {actions.dtype} of shape {actions.shape}")
        width = turn.legal.shape[1]
        if len(actions) == 1:  # a game at a time, as users' own classes and engines are often asked
            action = int(actions[0])
            if 0 <= action < width and turn.legal[0, action]:
                return {}
        known = len(actions) and actions.min() >= 0 and actions.max() < width
        if known and turn.legal.take(np.arange(0, len(turn) * width, width) + actions).all():
            return {}  # as nearly always: small batches are asked thousands of times a second
        inside: Bools = (actions >= 0) & (actions < width)
        good = inside & turn.legal[np.arange(len(turn)), np.where(inside, actions, 0)]
    elif isinstance(space, spaces.MultiDiscrete) and turn.legal is not None:
        if actions.shape != (len(turn), len(space.nvec)) or actions.dtype.kind not in "iu":
            raise ValueError(f"actions must be (k, m) integers, not {actions.dtype} of shape {actions.shape}")
        starts = np.concatenate([[0], np.cumsum(space.nvec)[:-1]])
        inside = np.asarray(((actions >= 0) & (actions < space.nvec)).all(axis=1))
        flat = starts + np.where(inside[:, None], actions, 0)
        good = inside & np.take_along_axis(turn.legal, flat, axis=1).all(axis=1)
    else:
        if actions.shape != (len(turn), *(space.shape or ())):
            raise ValueError(f"actions must be (k, *{space.shape}), not of shape {actions.shape}")
        good = np.isfinite(actions.reshape(len(turn), -1)).all(axis=1)
    if good.all():
        return {}
    asked = np.ones(len(turn), bool) if choice.waiting is None else ~choice.waiting
    for row in choice.failed:
        asked[row] = False
    wrong: Bools = np.asarray(asked & ~good)
    return {int(row): f"illegal action {actions[row]}" for row in np.flatnonzero(wrong)}


def _check_memory(memory: Array, remembered: Array | None) -> None:
    """Whether memory can be kept beside what the agent was given back.

    Raises:
        ValueError: it cannot.
    """
    if not isinstance(memory, np.ndarray):
        raise ValueError(f"memory must be an array, not {type(memory).__name__}")
    if remembered is None:
        return
    if memory.shape[1:] != remembered.shape[1:] or not np.can_cast(memory.dtype, remembered.dtype, "same_kind"):
        now, before = (f"{part.dtype} of shape {part.shape[1:]}" for part in (memory, remembered))
        raise ValueError(f"gave memory of {now}, and of {before} before")


def _gather(turn: Turn, answers: tuple[Answered, ...], spec: GameSpec) -> tuple[Ints, Array, tuple[Failure, ...]]:
    """The rows that are played, their actions, and the seats that failed."""
    if len(answers) == 1 and not answers[0].choice.failed and answers[0].choice.waiting is None:
        return answers[0].rows, np.asarray(answers[0].choice.actions), ()
    failures = []
    played_rows, played_actions = [], []
    for answer in answers:
        choice = answer.choice
        good = np.ones(len(answer.rows), bool) if choice.waiting is None else ~choice.waiting
        for row, reason in choice.failed.items():
            good[row] = False
            at = answer.rows[row]
            seat = int(turn.copies[at]), int(turn.games[at]), int(turn.players[at])
            failures.append(Failure(*seat, answer.agent, reason))
        if good.any():  # a failed answer may have no actions of the right shape
            played_rows.append(answer.rows[good])
            played_actions.append(np.asarray(choice.actions)[good])
    if not played_rows:
        space = spec.role(int(turn.players[0])).action  # no actions have their shape too
        return np.zeros(0, np.int64), np.zeros((0, *(space.shape or ())), space.dtype), tuple(failures)
    if len({part.shape[1:] for part in played_actions}) == 1 and sum(map(len, played_rows)) == len(turn):
        whole = np.empty((len(turn), *played_actions[0].shape[1:]), np.result_type(*played_actions))
        for places, part in zip(played_rows, played_actions, strict=True):
            whole[places] = part
        return np.arange(len(turn)), whole, tuple(failures)  # as nearly always, without a sort
    rows = np.concatenate(played_rows)
    order = np.argsort(rows)  # in the turn's order again: `play` may then give them without their rows
    return rows[order], _joined(played_actions)[order], tuple(failures)


def _joined(parts: Sequence[Array]) -> Array:
    """The actions of several agents in one array; where roles differ in shape, flat and filled up from the left."""
    if len({part.shape[1:] for part in parts}) == 1:
        return np.concatenate(parts)
    flat = [part.reshape(len(part), -1) for part in parts]
    width = max(part.shape[1] for part in flat)
    return np.concatenate([np.pad(part, ((0, 0), (0, width - part.shape[1]))) for part in flat])


def _remember(memories: list[Array | None], answer: Answered, turn: Turn, copies: int, players: int) -> None:
    """Keep what an agent wants back, by copy and player."""
    new = answer.choice.memory
    if new is None:
        return
    kept = memories[answer.agent]
    if kept is None:
        kept = memories[answer.agent] = np.zeros((copies, players, *new.shape[1:]), new.dtype)
    done = slice(None) if answer.choice.waiting is None else ~answer.choice.waiting  # who waits was not answered yet
    rows = answer.rows[done]
    kept[turn.copies[rows], turn.players[rows]] = new[done]


def _forget(
    memories: list[Array | None],
    agents: Sequence[Agent],
    turn: Turn,
    outcome: Outcome,
    failures: tuple[Failure, ...],
) -> None:
    """Clear the memory of games that are over, and tell the agents that have a `finish`."""
    over: Bools = outcome.finished | outcome.broken
    for failure in failures:
        over[failure.copy] = True
    if not np.count_nonzero(over):  # quicker than `any` where there are few
        return
    for memory in memories:
        if memory is not None:
            memory[over] = 0
    for agent in agents:
        finish = getattr(agent, "finish", None)
        if finish is not None:
            finish(np.unique(turn.games[over[turn.copies]]))
