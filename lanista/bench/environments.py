"""Environments of their own for peers that pin other versions: made once with venv and pip, then kept.

In `doors` our own sides run too, beside the bare libraries: `lanista.envs` needs no more than it has.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

# torch is pinned as in our own environment: a wider range would pull a CUDA build of several GB.
REQUIREMENTS: dict[str, tuple[str, ...]] = {
    # What `lanista.envs` needs, and the libraries behind its doors: our own environment need not have EnvPool.
    "doors": ("envpool==1.2.5", "ale-py==0.12.1", "gymnasium==1.2.2", "numba==0.68.1", "numpy==2.4.6"),
    "envpool": ("envpool==1.2.5",),
    "openspiel": ("open_spiel==2.0.2",),
    # With what its NFSP and PSRO import.
    "openspiel_learning": (
        "open_spiel==2.0.2",
        "torch==2.13.0",
        "cvxopt>=1.3",
        "cvxpy>=1.6",
        "dm-tree>=0.1.9",
        "matplotlib>=3.9",
        "scipy>=1.13",
    ),
    "pettingzoo": ("pettingzoo==1.27.0", "pygame>=2.6", "chess>=1.11", "rlcard>=1.2"),
    "pgx": ("pgx==2.6.0", "jax==0.10.2"),
    "sb3": ("torch==2.13.0", "sb3-contrib==2.9.2", "stable-baselines3==2.9.2", "pettingzoo==1.27.0", "pygame>=2.6"),
}
INSTALL_SECONDS = 1800


class NotInstalledError(RuntimeError):
    """A peer's environment could not be made; the message says why."""


def cache() -> Path:
    """The folder that holds the environments."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lanista" / "bench"


def python_of(environment: str, report: Callable[[str], None]) -> Path:
    """The Python of an environment, which is made if it is not there or of other requirements.

    Args:
        environment: one of `REQUIREMENTS`.
        report: told what takes long.

    Raises:
        NotInstalledError: it cannot be made.
    """
    folder = cache() / environment
    wanted = "\n".join((sys.version, *REQUIREMENTS[environment]))
    marker, python = folder / "installed.txt", folder / "bin" / "python"
    try:
        cache().mkdir(parents=True, exist_ok=True)
        with (cache() / f"{environment}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two benches at once would install into each other
            if not marker.exists() or marker.read_text() != wanted:
                report(f"installing {' '.join(REQUIREMENTS[environment])} into {folder}, once")
                _install(folder, python, REQUIREMENTS[environment])
                marker.write_text(wanted)
    except OSError as error:
        raise NotInstalledError(f"{folder} cannot be made: {error}") from None
    return python


def _install(folder: Path, python: Path, requirements: tuple[str, ...]) -> None:
    """Make the environment anew."""
    shutil.rmtree(folder, ignore_errors=True)
    commands = (
        [sys.executable, "-m", "venv", str(folder)],
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements],
    )
    for command in commands:
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS)
        except subprocess.TimeoutExpired:
            raise NotInstalledError(f"installing took more than {INSTALL_SECONDS} s") from None
        if done.returncode:
            said = [line for line in done.stderr.splitlines() if line.strip()] or [f"exit code {done.returncode}"]
            errors = [line for line in said if line.startswith("ERROR")] or said
            raise NotInstalledError(errors[-1].strip())
