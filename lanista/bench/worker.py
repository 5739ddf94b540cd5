"""One side of a race: a process that works when it is told to, for as long as it is told to.

    python worker.py MODULE OPTIONS PACKAGES

imports MODULE and calls its `begin(**OPTIONS)`, which prepares all there is to prepare and gives a function: seconds ->
what was done, a dictionary with `steps` and whatever else is to be told. Then it speaks lines of JSON: it says
`{"ready": true, "versions": {...}}`; asked `{"run": SECONDS}` it works for about so long and answers with that
dictionary. What goes wrong is answered as `{"error": "..."}`. The end of the input is the end of the process.

This file imports only Python's own library, since it also runs in environments where ours is not installed.
"""

import atexit
import gc
import importlib
import importlib.metadata
import importlib.util
import json
import os
import sys
import time
import traceback
import types
from collections.abc import Callable
from pathlib import Path

Work = Callable[[float], dict[str, float]]


def repeat(once: Callable[[], float], seconds: float) -> float:
    """Call `once` until this process has used so much CPU time; the sum of what it gave, its steps.

    CPU time and not the clock, so that a slice is as long on a busy machine.
    """
    steps, end = 0.0, time.process_time() + seconds
    while time.process_time() < end:
        steps += once()
    return steps


def repeat_alone(once: Callable[[], float], seconds: float) -> dict[str, float]:
    """As `repeat`, beside the steps the CPU time of this process without its children's, `own_seconds`."""
    before = time.process_time()
    steps = repeat(once, seconds)
    return {"steps": steps, "own_seconds": time.process_time() - before}


def mount() -> None:
    """Let `lanista.bench` be imported where Lanista is not installed, without showing this environment our own."""
    if importlib.util.find_spec("lanista") is None:
        package = types.ModuleType("lanista")
        package.__path__ = [str(Path(__file__).resolve().parents[1])]
        sys.modules["lanista"] = package


def versions(packages: list[str]) -> dict[str, str]:
    """The installed versions of these packages."""
    return {name: importlib.metadata.version(name) for name in packages}


def main(module: str, options: str, packages: str) -> None:
    """Speak until the input ends."""
    atexit.register(gc.freeze)  # what PyTorch leaves to be collected at the end takes each side a second
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # libraries that print must not break into the answers

    def answer(value: object) -> None:
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    try:
        mount()
        work: Work = importlib.import_module(module).begin(**json.loads(options))
        answer({"ready": True, "versions": versions(json.loads(packages))})
        for line in sys.stdin:
            answer(work(float(json.loads(line)["run"])))
    except Exception as error:
        traceback.print_exc()
        answer({"error": f"{type(error).__name__}: {error}"})


if __name__ == "__main__":
    main(*sys.argv[1:])
