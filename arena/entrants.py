"""Who enters a tournament: each contestant under its name, with a digest of all that decides its moves."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lanista.agents.contestant import SHIPPED, agent_folder, load_agent
from lanista.envs.core import Agent, agent_name
from lanista.errors import UsageError
from lanista.files import written_path

PERSON = "person:"  # before the name of a person, who plays at the page and has no digest but that name's
BUILT_IN = "lanista.agents."  # modules of agents whose name is the string that makes them again
NETWORK = "lanista.agents.kinds.network"
FILES = ("agent.json", "model.safetensors")


def entrants(contestants: Sequence[str | Agent], *, at_least: int = 2) -> dict[str, Agent]:
    """The agents of a tournament by name.

    Raises:
        UsageError: there are fewer than so many, two have the same name, or a string names no agent.
    """
    named: dict[str, Agent] = {}
    for contestant in contestants:
        agent = load_agent(contestant) if isinstance(contestant, str) else contestant
        name = agent_name(agent)
        if name in named:
            raise UsageError(f"two contestants are called '{name}'; each needs a name of its own")
        named[name] = agent
    if len(named) < at_least:
        raise UsageError(f"a tournament needs at least {'two contestants' if at_least > 1 else 'one contestant'}")
    return named


def digest(agent: Agent) -> str:
    """What tells whether a contestant is still the one that played before.

    Of a trained agent the hash of its files or, where it has none, of its weights; of a built-in one that of its
    string and, where files decide its moves, such as an engine's program, of these; of a user's own class that of its
    name and the class's.
    """
    name, kind = agent_name(agent), type(agent)
    text = name if kind.__module__.startswith(BUILT_IN) else f"{kind.__module__}.{kind.__qualname__} {name}"
    found = hashlib.sha256(text.encode())
    files: tuple[Path, ...] = getattr(agent, "files", ())
    for path in files:
        found.update(path.read_bytes())
    if kind.__module__ == NETWORK:
        head, _, options = name.partition("?")
        folder = agent_folder(written_path(head)) or agent_folder(SHIPPED / head)
        found = hashlib.sha256(options.encode())
        if folder is not None:
            for file in FILES:
                found.update((folder / file).read_bytes())
        else:
            network: Any = getattr(agent, "network")  # noqa: B009 - an `Agent` need not have one; this kind does
            for key, tensor in sorted(network.state_dict().items()):
                found.update(key.encode() + tensor.detach().cpu().numpy().tobytes())
    return found.hexdigest()
