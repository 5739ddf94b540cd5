"""Turning another library's saved model into an agent's folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lanista.agents.artifact import save_agent
from lanista.agents.imports._parts import network_of_parts
from lanista.envs import make
from lanista.errors import UsageError
from lanista.plugs import call, plug, plugs

IMPORTS = "lanista.agents.imports"


def import_model(model: str | Path, game: str, out: str | Path, **options: Any) -> None:
    """Write an agent's folder that plays as a saved model does; none of the model's code is run.

    Args:
        model: the file or folder; which library saved it is told by what it holds.
        game: the string of the game that it plays.
        out: the agent's folder, made if it is not there.
        **options: of the library's reader, such as `activation`.

    Raises:
        UsageError: no library that is known saved it, it is damaged, or it does not fit the game.
    """
    path = Path(model)
    if not path.exists():
        raise UsageError(f"there is no model at {path}")
    readers = {name: plug(IMPORTS, "library", name) for name in plugs(IMPORTS)}
    found = [name for name, reader in readers.items() if reader.knows(path)]
    if not found:
        raise UsageError(f"{path} is no model that {' or '.join(readers)} saved")
    spec = make(game).spec
    parts, history = call(readers[found[0]].read, f"a model of {found[0]}", {"path": path, **options})
    save_agent(out, network_of_parts(parts, spec), game, "float32", history)
