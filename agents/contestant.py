"""From a contestant's string to the agent that plays: one way to write a player wherever one is asked for.

`random`, `minimax:depth=4` are files of `agents/kinds`; `runs/first` or `my_agent?temperature=0.5` is a trained
agent's folder, or the run that makes one; `hf:org/name` is one of the Hugging Face hub; `connect_four` is the agent for
that game that comes with Lanista.
"""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lanista.errors import UsageError, unknown
from lanista.files import written_path
from lanista.hub import HUB
from lanista.plugs import Value, call, parse_options, plug, plugs

if TYPE_CHECKING:  # a command that only lists the kinds need not wait for gymnasium
    from lanista.envs.core import Agent

KINDS = "lanista.agents.kinds"
GAMES = "lanista.envs.games"
SHIPPED = Path(__file__).parent / "shipped"
DESCRIPTION = "agent.json"  # what makes a folder an agent's


def agents() -> list[str]:
    """The ids of the agent kinds, as they are written: `first-legal`, `minimax`, ..."""
    return [name.replace("_", "-") for name in plugs(KINDS)]


def shipped() -> list[str]:
    """The games for which an agent comes with Lanista."""
    return sorted(path.parent.name for path in SHIPPED.glob(f"*/{DESCRIPTION}"))


def load_agent(contestant: str | os.PathLike[str]) -> Agent:
    """The agent that a contestant's string names.

    Args:
        contestant: a kind with its options (`random`, `minimax:depth=4`), the path of an agent's folder or of a
            training run, `hf:org/name`, or the name of a game for which an agent comes with Lanista; the last three
            with options as in `runs/first?temperature=0.5`. A folder that holds an agent is preferred to a kind of the
            same name.

    Returns:
        The agent. Its `name` is such a string again, and gives the same agent.

    Raises:
        UsageError: nothing of that name, an option that is unknown or wrong, a folder that holds no agent.
    """
    text = os.fspath(contestant).strip()
    if not text:
        raise UsageError(f"name who plays: {', '.join(agents())}, or the folder of a trained agent")
    head, _, options = text.partition("?")
    if head.startswith(HUB):
        return _trained(_from_hub(head), head, parse_options(options, text))
    folder = agent_folder(written_path(head))
    if folder is not None:
        return _trained(folder, Path(head).as_posix(), parse_options(options, text))
    kind, colon, written = text.partition(":")
    kind = "http" if kind == "https" else kind
    if colon and re.fullmatch(r"[\w-]+", kind) and not os.path.exists(head):
        return _of_kind(kind, written, text)
    is_kind = head.replace("-", "_") in plugs(KINDS)
    if _is_path(head) or (os.path.isdir(head) and not is_kind):
        raise _no_agent(written_path(head), head)
    if head in shipped():
        return _trained(SHIPPED / head, head, parse_options(options, text))
    return _of_kind(head, options, text)


def agent_folder(path: Path) -> Path | None:
    """The folder with the agent's files at a path: the path itself, `agent` inside a run's folder, or None."""
    for folder in (path, path / "agent"):
        if os.path.isfile(folder / DESCRIPTION):  # no error where a folder is locked or a name too long
            return folder
    return None


def trained_folder(name: str) -> Path:
    """The folder of the trained agent that a contestant's string without options names.

    Raises:
        UsageError: it names none.
    """
    if name.startswith(HUB):
        return _from_hub(name)
    path = written_path(name)
    folder = agent_folder(path)
    if folder is not None:
        return folder
    if name in shipped():
        return SHIPPED / name
    if name.partition(":")[0].replace("-", "_") in plugs(KINDS):
        raise UsageError(f"'{name}' is no trained agent: give an agent's folder, or a run")
    raise _no_agent(path, name)


def _from_hub(name: str) -> Path:
    from lanista.agents.hub import agent_from_hub  # imports torch, which nobody else needs

    return agent_from_hub(name)


def _of_kind(kind: str, written: str, source: str) -> Agent:
    """An agent of a kind, from the options as they were written in the contestant's string `source`."""
    if kind.replace("-", "_") not in plugs(KINDS):
        if kind in plugs(GAMES):
            raise UsageError(f"no agent for '{kind}' comes with Lanista; train one with 'lanista train {kind}'")
        raise unknown("agent", kind, [*agents(), *shipped(), *_agents_in(Path())])
    module = plug(KINDS, "agent", kind)
    if hasattr(module, "read"):  # a kind with a grammar of its own, such as an engine's command
        own: Agent = module.read(written, source)
        return own
    options = parse_options(written, source)
    if kind == "network" and "path" in options:
        path = Path(str(options.pop("path")))
        return _trained(agent_folder(path) or path, path.as_posix(), options)
    agent: Agent = call(module.make, f"the agent '{kind}'", dict(options))
    return agent


def _trained(folder: Path, name: str, options: dict[str, Value]) -> Agent:
    """A trained agent, called by the string that named it."""
    module = plug(KINDS, "agent", "network")  # imports torch, which nobody else needs
    agent: Any = call(module.make, f"the agent '{name}'", {"path": str(folder), **options})
    written = "&".join(
        f"{key}={str(value).lower() if isinstance(value, bool) else value}" for key, value in options.items()
    )
    agent.name = f"{name}?{written}" if written else name
    loaded: Agent = agent
    return loaded


def _is_path(head: str) -> bool:
    return head.startswith((".", "~")) or any(separator in head for separator in {os.sep, os.altsep or os.sep, "/"})


def _agents_in(folder: Path) -> list[str]:
    """The names of the agents' folders in a folder, in order; of one that may not be listed, none."""
    try:
        return sorted(path.name for path in folder.iterdir() if agent_folder(path) is not None)
    except OSError:
        return []


def _no_agent(path: Path, written: str) -> UsageError:
    """The error for a path that holds no agent; it names the nearest folder beside it that does."""
    if os.path.exists(path):
        return UsageError(f"'{written}' holds no agent: there is no {DESCRIPTION} in it, nor in its folder 'agent'")
    beside = path.parent
    if not os.path.isdir(beside):
        return UsageError(f"there is no agent at '{written}': the folder '{beside}' does not exist")
    names = _agents_in(beside)
    near = difflib.get_close_matches(path.name, names, n=1, cutoff=0.5)
    if near:
        return UsageError(f"there is no agent at '{written}'; did you mean '{Path(written).parent / near[0]}'?")
    return UsageError(f"there is no agent at '{written}'; folders with agents beside it: {', '.join(names) or 'none'}")
