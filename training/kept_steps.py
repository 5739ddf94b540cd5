"""Plies whose rows still wait for their successor, as arrays: what a checkpoint keeps of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count, takewhile

from lanista.agents.wire import turn_arrays, turn_from
from lanista.envs.core import Array, Outcome
from lanista.training.experience import Part, Step

OUTCOME = ("rewards", "terminated", "truncated", "finished", "broken")
PART = ("rows", "samples", "log_probability", "memory")


def step_arrays(steps: Sequence[Step]) -> dict[str, Array]:
    """The arrays of plies of a game whose players all see things of the same shapes, as all that can be saved are."""
    arrays: dict[str, Array] = {}
    for number, step in enumerate(steps):
        own = {"value": step.value, "open": step.open} | {name: getattr(step.outcome, name) for name in OUTCOME}
        own |= _under("turn", turn_arrays(step.turn, None))
        for role, part in step.parts.items():
            own |= _under(f"part {role}", {name: getattr(part, name) for name in PART})
        if step.final is not None:
            assert step.outcome.final is not None
            own |= {"final value": step.final} | _under("final turn", turn_arrays(step.outcome.final, None))
        arrays |= _under(f"step {number}", own)
    return arrays


def steps_from(arrays: Mapping[str, Array]) -> list[Step]:
    """The plies of `step_arrays`; other arrays may lie among them.

    Raises:
        KeyError, ValueError: a part is missing, or has another number of rows.
    """
    names = set(arrays)
    numbers = takewhile(lambda number: f"step {number} value" in names, count())
    return [_step(_of(f"step {number}", arrays)) for number in numbers]


def _step(own: Mapping[str, Array]) -> Step:
    turn, _ = turn_from(_of("turn", own), None)
    final = turn_from(_of("final turn", own), None)[0] if "final value" in own else None
    parts = {}
    for role in sorted({int(name.split()[1]) for name in own if name.startswith("part ")}):
        told = _of(f"part {role}", own)
        rows = told["rows"]
        parts[role] = Part(
            rows, turn if len(rows) == len(turn) else turn.take(rows), *(told[name] for name in PART[1:])
        )
    outcome = Outcome(**{name: own[name] for name in OUTCOME}, final=final)
    return Step(turn, parts, own["value"], outcome, own.get("final value"), own["open"])


def _under(name: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    return {f"{name} {key}": value for key, value in arrays.items()}


def _of(name: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    return {key.removeprefix(f"{name} "): arrays[key] for key in arrays if key.startswith(f"{name} ")}
