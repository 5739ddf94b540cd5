"""Another instruction for a level that has begun: MiniGrid's own rules judge it from then on.

BabyAI's levels hold an instruction with its verifier, which is replaced; MiniGrid's own hold the object that is meant.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from lanista.envs.doors._instruction_grammar import Act, Both, Order, Thing
from lanista.errors import UsageError

# What of a level says which mission it has, as far as it has these.
_FIELDS = (
    "instrs", "mission", "max_steps", "target_pos", "target_color", "targetColor", "targetType", "target_type",
    "move_pos", "moveColor", "move_type",
)  # fmt: skip
MOST_LISTED = 8  # things of a level that are named
NOWHERE = (-9, -9)  # no cell is next to it


def own_rules(level: Any) -> Callable[[], None]:
    """What puts the mission that a level has now back again."""
    kept = {name: getattr(level, name) for name in _FIELDS if hasattr(level, name)}

    def restore() -> None:
        for name, value in kept.items():
            setattr(level, name, value)

    return restore


def judge(level: Any, order: Order) -> None:
    """Have a level judge this from now on; the time for it begins anew.

    Args:
        level: MiniGrid's, unwrapped; it has begun.
        order: what is to be done.

    Raises:
        UsageError: a thing is not in this level, or its rules cannot judge that; the level is as it was.
    """
    if hasattr(level, "instrs"):
        _judge_by_verifier(level, order)
    else:
        known = {"GoToDoorEnv": _one_target, "GoToObjectEnv": _one_target, "FetchEnv": _fetch, "PutNearEnv": _put_near}
        found = next((known[kind.__name__] for kind in type(level).__mro__ if kind.__name__ in known), None)
        if found is None or not isinstance(order, Act):
            raise UsageError("the rules of this level judge only instructions of its own kind")
        found(level, order)
    level.step_count = 0


def leave_unjudged(level: Any) -> None:
    """Have a level judge nothing; it goes on until its time is up, or until its rules end it whatever was meant."""
    if hasattr(level, "instrs"):

        class Unjudged(_verifier().Instr):  # type: ignore[misc]
            def surface(self, env: Any) -> str:
                return ""

            def verify(self, action: Any) -> str:
                return "continue"

        level.instrs = Unjudged()
        level.instrs.reset_verifier(level)
    for name in _FIELDS:
        if name.endswith("_pos") and hasattr(level, name):
            setattr(level, name, NOWHERE)
        elif name.lower().endswith(("color", "type")) and hasattr(level, name):
            setattr(level, name, "")
    level.step_count = 0


# --- BabyAI's levels


def _verifier() -> Any:
    """BabyAI's instructions; they have no types."""
    return import_module("minigrid.envs.babyai.core.verifier")


def _judge_by_verifier(level: Any, order: Order) -> None:
    made = _instruction(level, order, bool(getattr(level.instrs, "strict", False)))
    made.reset_verifier(level)
    _carried(level, made)
    level.instrs = made
    if not level.fixed_max_steps:
        level.max_steps = level.num_navs_needed(made) * level.room_size**2 * level.num_rows * level.num_cols


def _instruction(level: Any, order: Order, strict: bool) -> Any:
    """BabyAI's own object for an instruction."""
    verifier = _verifier()
    if isinstance(order, Both):
        first, second = (_instruction(level, part, strict) for part in (order.first, order.second))
        kinds = {"before": verifier.BeforeInstr, "after": verifier.AfterInstr, "and": verifier.AndInstr}
        return kinds[order.order](first, second, strict)
    carried_too = order.verb == "put"
    described = _described(level, order.thing, carried_too)
    if order.verb == "go to":
        return verifier.GoToInstr(described)
    if order.verb == "open":
        if order.thing.kind != "door":
            raise UsageError(f"this level's rules judge the opening of doors, not of '{order.thing}'")
        return verifier.OpenInstr(described, strict)
    if order.thing.kind == "door":
        raise UsageError("a door can be neither picked up nor put somewhere")
    if order.verb == "pick up":
        return verifier.PickupInstr(described, strict)
    assert order.beside is not None
    return verifier.PutNextInstr(described, _described(level, order.beside), strict)


def _described(level: Any, thing: Thing, carried_too: bool = False) -> Any:
    """BabyAI's description of things of which the level has one.

    Raises:
        UsageError: it has none.
    """
    described = _verifier().ObjDesc(thing.kind, thing.colour, thing.place)
    there, _ = described.find_matching_objs(level)
    walls = ("wall", "floor", "goal", "lava")
    if not [each for each in there if each.type not in walls] and not (carried_too and _is(level.carrying, thing)):
        raise UsageError(f"there is no {thing} in this level; {_listed(level)}")
    return described


def _carried(level: Any, made: Any) -> None:
    """The agent may put down what it carries already, which is on no cell."""
    for part in (getattr(made, "instr_a", None), getattr(made, "instr_b", None)):
        if part is not None:
            _carried(level, part)
    moved = getattr(made, "desc_move", None)
    if level.carrying is not None and hasattr(made, "preCarrying"):
        made.preCarrying = level.carrying
        if moved is not None and _is(level.carrying, Thing(moved.type, moved.color)) and moved.loc is None:
            moved.obj_set.append(level.carrying)


# --- MiniGrid's own levels


def _one_target(level: Any, order: Act) -> None:
    if order.verb != "go to":
        raise UsageError("the rules of this level judge only 'go to'")
    thing, place = _one(level, order.thing)
    level.target_pos = place
    level.target_color = thing.color
    if hasattr(level, "targetType"):
        level.targetType = thing.type


def _fetch(level: Any, order: Act) -> None:
    if order.verb != "pick up":
        raise UsageError("the rules of this level judge only what is fetched")
    kinds = {(thing.color, thing.type) for thing, _ in _things(level) if _is(thing, order.thing)}
    _check_one(level, order.thing, len(kinds))
    level.targetColor, level.targetType = next(iter(kinds))


def _put_near(level: Any, order: Act) -> None:
    if order.verb != "put" or order.beside is None:
        raise UsageError("the rules of this level judge only what is put near what")
    moved, origin = _one(level, order.thing)
    target, place = _one(level, order.beside)
    if moved is target:
        raise UsageError(f"the {order.thing} cannot be put next to itself")
    level.moveColor, level.move_type, level.move_pos = moved.color, moved.type, origin
    level.target_color, level.target_type, level.target_pos = target.color, target.type, place


def _one(level: Any, wanted: Thing) -> tuple[Any, tuple[int, int]]:
    """The one thing of a level that is described, and where it is."""
    found = [(thing, place) for thing, place in _things(level) if _is(thing, wanted)]
    _check_one(level, wanted, len(found))
    return found[0]


def _check_one(level: Any, wanted: Thing, count: int) -> None:
    if wanted.place is not None:
        raise UsageError("the rules of this level know no left and right")
    if count == 0:
        raise UsageError(f"there is no {wanted} in this level; {_listed(level)}")
    if count > 1:
        raise UsageError(f"the rules of this level judge one thing, and '{wanted}' may be several: {_listed(level)}")


# --- things


def _things(level: Any) -> list[tuple[Any, tuple[int, int]]]:
    """The balls, boxes, keys and doors that stand in a level, with column and row of each."""
    cells = [(level.grid.get(x, y), (x, y)) for x in range(level.width) for y in range(level.height)]
    return [(cell, place) for cell, place in cells if cell is not None and cell.type in ("ball", "box", "key", "door")]


def _is(thing: Any, wanted: Thing) -> bool:
    if thing is None:
        return False
    return wanted.kind in (None, thing.type) and wanted.colour in (None, thing.color)


def _listed(level: Any) -> str:
    """What there is, in words."""
    names = list(dict.fromkeys(f"a {thing.color} {thing.type}" for thing, _ in _things(level)))
    if not names:
        return "there is nothing in it"
    shown = names[:MOST_LISTED] + (["more"] if len(names) > MOST_LISTED else [])
    return f"there is {' and '.join([', '.join(shown[:-1]), shown[-1]]) if len(shown) > 1 else shown[0]}"
