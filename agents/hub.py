"""Agents in repositories of the Hugging Face hub: fetched from there as data only, and put there."""

from __future__ import annotations

from pathlib import Path

from lanista.agents.artifact import DESCRIPTION, WEIGHTS
from lanista.errors import UsageError
from lanista.hub import HUB, fetched
from lanista.plugs import one_line, required

CARD = "README.md"
FILES = [DESCRIPTION, WEIGHTS, CARD]


def agent_from_hub(name: str) -> Path:
    """The folder of an agent that was fetched from the hub, or is here already.

    Args:
        name: as in "hf:org/name".

    Raises:
        UsageError: huggingface_hub is not installed, there is no such repository, or it holds no agent.
    """
    folder = fetched(name, FILES)
    if not (folder / DESCRIPTION).is_file():
        raise UsageError(f"{name} holds no agent: there is no {DESCRIPTION} in it")
    return folder


def push_agent(folder: str | Path, repository: str, private: bool = False) -> str:
    """Put an agent's folder into a repository of the hub, made if it is not there.

    Args:
        folder: the agent's; its `README.md` goes too, if it has one.
        repository: as in "me/my-agent".
        private: make a repository that others do not see.

    Returns:
        The address of the commit.

    Raises:
        UsageError: the folder holds no agent, or the hub refuses.
    """
    required("huggingface_hub", "perception", f"{HUB}{repository}")
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalTokenNotFoundError

    from lanista.agents.hub_mixin import HubAgent

    try:
        return str(HubAgent(Path(folder)).push_to_hub(repository, private=private))
    except (HfHubHTTPError, HFValidationError, LocalTokenNotFoundError, OSError) as error:
        raise UsageError(f"'{repository}' cannot be pushed to the hub: {one_line(error)}") from None
