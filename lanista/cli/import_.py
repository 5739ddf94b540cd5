"""Turn a model of Stable-Baselines3 or RLlib into an agent of Lanista: plain data that plays without either.

Example:
    lanista import ppo_cartpole.zip --game gym:CartPole-v1 --out agents/cartpole
    lanista import checkpoints/000010 --game gym:CartPole-v1 --activation relu --out agents/cartpole
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from lanista.errors import UsageError


@dataclass(frozen=True)
class Options:
    """What to read, for which game, and where to write the agent."""

    model: Annotated[Positional[Path], arg(metavar="FILE|FOLDER", help_behavior_hint="")]
    """A `.zip` that Stable-Baselines3 saved, or the folder of RLlib's checkpoint. No code of it is run."""
    game: str = ""
    """The game's string: what the model sees and does must be the game's."""
    out: Annotated[Path | None, arg(metavar="FOLDER")] = None
    """Where the agent is written; without it, beside the model, under its name without `.zip`."""
    module: str = ""
    """Of RLlib's checkpoint with several modules: which."""
    activation: Literal["", "tanh", "relu"] = ""
    """Of RLlib's checkpoint: what follows each layer, which it does not say in plain data; tanh, as by default there,
    if you do not."""


def run(options: Options) -> int:
    """Read the model, write the agent, say how to seat it."""
    if not options.game:
        raise UsageError("say which game the model plays, as in --game gym:CartPole-v1")
    if not options.model.name:
        raise UsageError("name the model to import: a .zip of Stable-Baselines3, or the folder of RLlib's checkpoint")
    out = options.out or options.model.with_name(f"{options.model.name.removesuffix('.zip')}_agent")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} is there already: name another folder with --out")
    from lanista.agents.import_model import import_model  # imports torch: after the words are right

    wished = {"module": options.module, "activation": options.activation}
    import_model(options.model, options.game, out, **{name: value for name, value in wished.items() if value})
    print(f"the agent is {out}")
    print(f"  watch it:  lanista record {out} --game '{options.game}' --out episode.gif")
    return 0
