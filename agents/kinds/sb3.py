"""`sb3:model.zip`: a model of Stable-Baselines3, in its own process; needs `--trust`, since such files can run code.

It plays every game whose spaces are the model's. A model that takes masks is shown the legal actions; what any other
plays against the rules is its fault. After `?` come `algorithm`, where the file does not tell, `deterministic=false`,
and Lanista's limits, `seconds` for the answer to a turn and `memory` in megabytes.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from lanista.agents.isolate import IsolatedAgent
from lanista.agents.sb3_archive import SETTINGS, unpacked
from lanista.agents.trust import need_trust
from lanista.errors import UsageError, unknown
from lanista.files import written_path
from lanista.plugs import call, one_line, parse_options, required

# Settings by which a file is known, in this order: the first algorithm of which it has all. `data` of the file is JSON.
TOLD_BY = {
    "RecurrentPPO": {"lstm"},  # of the policy's name
    "MaskablePPO": {"maskable"},
    "TRPO": {"cg_max_steps"},
    "QRDQN": {"quantile"},
    "TQC": {"top_quantiles_to_drop_per_net"},
    "CrossQ": {"crossq"},
    "SAC": {"target_entropy"},
    "TD3": {"policy_delay", "target_policy_noise"},
    "DQN": {"exploration_rate"},
    "ARS": {"n_delta"},
    "PPO": {"clip_range", "n_epochs"},
    "A2C": {"n_steps", "vf_coef"},
}
CONTRIB = ("RecurrentPPO", "MaskablePPO", "TRPO", "QRDQN", "TQC", "CrossQ", "ARS")
ALGORITHMS = sorted([*TOLD_BY, "DDPG"])


def make(file: str, seconds: float = 30.0, memory: int = 16384) -> Sb3Agent:
    """An agent by its model's file; `read` takes all that a contestant's string can say."""
    return read(f"{file}?seconds={seconds}&memory={memory}", f"sb3:{file}")


def read(written: str, source: str) -> Sb3Agent:
    """The agent of a contestant's string.

    Args:
        written: it, without `sb3:`.
        source: all of it.

    Raises:
        UsageError: it is not trusted, there is no such file, it is no model, or an option is wrong.
    """
    path, _, options = written.partition("?")
    file = written_path(path)
    if not file.is_file():
        raise UsageError(f"'{source}' needs the file '{path}', which is not there")
    need_trust(source, f"turn it into an agent: lanista import {path} --game GAME")

    def chosen(algorithm: str = "", deterministic: bool = True, seconds: float = 30.0, memory: int = 16384) -> Sb3Agent:
        name = _known(algorithm) if algorithm else algorithm_of(file)
        required("sb3_contrib" if name in CONTRIB else "stable_baselines3", "sb3", source)
        given = {"path": str(file.absolute()), "algorithm": name, "deterministic": deterministic}
        loading = {"module": "lanista.agents.sb3_player", "class": "Sb3Player", "options": given}
        return Sb3Agent(source, loading, seconds=seconds, memory=memory)

    agent: Sb3Agent = call(chosen, f"the agent '{source}'", dict(parse_options(options, source)))
    agent.files = (file,)
    return agent


def algorithm_of(file: Path) -> str:
    """The algorithm that saved a file, by the settings in it; nothing of it is executed.

    Raises:
        UsageError: it is no model of Stable-Baselines3, or does not tell.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            settings: Any = json.loads(unpacked(archive, SETTINGS))
        names = set(settings)
        policy = str(settings["policy_class"].get("__module__", "")).lower()
    except UsageError:
        raise
    except Exception as error:  # what a damaged archive or JSON raises is not one kind
        raise UsageError(f"{file} is no model of Stable-Baselines3: {one_line(error)}") from None
    words = {"lstm": "recurrent", "maskable": "maskable", "quantile": "qrdqn", "crossq": "crossq"}
    names |= {word for word, part in words.items() if part in policy}
    for name, marks in TOLD_BY.items():
        if marks <= names:
            return name
    raise UsageError(f"{file} does not tell which algorithm saved it: write 'sb3:{file}?algorithm=PPO'")


def _known(algorithm: str) -> str:
    for name in ALGORITHMS:
        if name.lower() == algorithm.lower():
            return name
    raise unknown("algorithm of Stable-Baselines3", algorithm, ALGORITHMS)


class Sb3Agent(IsolatedAgent):
    """A model in its own process; its file decides what it plays."""

    files: tuple[Path, ...] = ()
