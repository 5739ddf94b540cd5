"""A trained agent with the methods that users of the Hugging Face hub know, by huggingface_hub's own mixin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from huggingface_hub import ModelHubMixin

from lanista.agents.artifact import DESCRIPTION, WEIGHTS, read_description
from lanista.agents.hub import CARD, agent_from_hub
from lanista.files import write_bytes, write_text
from lanista.hub import HUB


class HubAgent(ModelHubMixin, library_name="lanista"):
    """An agent's folder that `save_pretrained`, `push_to_hub` and `from_pretrained` carry around.

    What travels is plain data, the folder's own files. The mixin's `config.json` is not among them: `agent.json` says
    all, and is written whole or not at all. Seat one with `lanista.load_agent(agent.folder)`.
    """

    # Its type is no JSON value, so the mixin has nothing to write a configuration of.
    def __init__(self, folder: Path) -> None:
        """Look at an agent.

        Args:
            folder: the agent's.

        Raises:
            UsageError: it holds no agent, or a damaged one.
        """
        read_description(folder)
        self.folder = folder

    def _save_pretrained(self, save_directory: Path) -> None:
        """Copy the agent's files, `agent.json` last: without it the folder holds no agent."""
        about = read_description(self.folder)
        write_bytes(save_directory / WEIGHTS, (self.folder / WEIGHTS).read_bytes())
        card = self.folder / CARD
        text = card.read_text() if card.is_file() else f"# An agent for {about['game']}\n\nMade with Lanista.\n"
        write_text(save_directory / CARD, text)
        write_bytes(save_directory / DESCRIPTION, (self.folder / DESCRIPTION).read_bytes())

    @classmethod
    def _from_pretrained(cls, *, model_id: str, **of_the_hub: Any) -> HubAgent:
        """The agent of a folder here or of a repository."""
        here = Path(model_id)
        return cls(here if here.is_dir() else agent_from_hub(f"{HUB}{model_id}"))
