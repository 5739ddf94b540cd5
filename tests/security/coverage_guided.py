"""Parsers under a fuzzer that sees which lines an input reaches (atheris): `python coverage_guided.py TARGET SECONDS`.

Whatever a parser is given, it takes it or refuses it by a `UsageError` of one line, in little time and memory. The
first input that ends otherwise is kept as `crash-...` in the folder of the targets' corpora, and the program fails.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import atheris

ROOT = Path(__file__).parents[2]


def compiled_modules() -> list[str]:
    """Those that Numba reads the functions of: it cannot compile what the fuzzer has put its counters into."""
    rooms = ("agents", "arena", "envs", "perception", "training")
    files = [file for room in rooms for file in sorted((ROOT / room).rglob("*.py"))]
    return [
        ".".join(("lanista", *file.relative_to(ROOT).with_suffix("").parts))
        for file in files
        if file.is_relative_to(ROOT / "envs") or "numba" in file.read_text("utf-8")
    ]


with atheris.instrument_imports(include=["lanista", "chess"], exclude=compiled_modules()):
    from attacks import taken_or_refused
    from test_artifact_files import agent, recogniser
    from test_engine_lines import GTP, UCI
    from test_game_records import BOOKS, PASTED

    from lanista.agents.artifact import read_description
    from lanista.agents.as_uci import limits_from
    from lanista.agents.kinds.uci import value_of
    from lanista.arena.book import read_book
    from lanista.arena.play.pasting import read
    from lanista.perception.encoder import load_encoder
    from lanista.training.settings import read_settings

Target = Callable[[bytes], object]
MOST_BYTES = 4096
INPUT_SECONDS = 30  # that libFuzzer lets one input take


def file_target(path: Path, load: Callable[[], object]) -> Target:
    """Puts each input into a file that is then loaded."""

    def once(data: bytes) -> None:
        path.write_bytes(data)
        taken_or_refused(load, path.parent)

    return once


def text_target(take: Callable[[str], object]) -> Target:
    """Hands each input over as a text."""
    return lambda data: taken_or_refused(lambda: take(data.decode("utf-8", "replace")))


def targets(folder: Path) -> dict[str, tuple[Callable[[], Target], list[bytes]]]:
    """Each parser by its name: how it is set up, and what it is begun with."""

    def agents() -> Target:
        made = agent(folder / "agent")[0]
        return file_target(made / "agent.json", lambda: read_description(made))

    def encoders() -> Target:
        made = recogniser(folder / "encoder")[0]
        return file_target(made / "encoder.json", lambda: load_encoder(made))

    def book(name: str) -> Callable[[], Target]:
        path = folder / name
        return lambda: file_target(path, lambda: read_book(BOOKS[name][0], path))

    def pasted(game: str) -> Callable[[], Target]:
        return lambda: text_target(lambda text: read(text, game))

    def settings() -> Target:
        path = folder / "settings.toml"
        return file_target(path, lambda: read_settings("tictactoe", path, {}))

    agent(folder / "whole-agent")
    recogniser(folder / "whole-encoder")
    found: dict[str, tuple[Callable[[], Target], list[bytes]]] = {
        "agent.json": (agents, [(folder / "whole-agent" / "agent.json").read_bytes()]),
        "encoder.json": (encoders, [(folder / "whole-encoder" / "encoder.json").read_bytes()]),
        "settings.toml": (settings, [b"steps = 1000\nlearning_rate = 3e-4\nencoder = 'mlp:dim=8'\n"]),
        "uci-go": (
            lambda: text_target(lambda text: limits_from(text.split(), 0)),
            [" ".join(UCI).encode(), b"depth 3 wtime 100 btime 100 winc 1 movestogo 4"],
        ),
        "uci-info": (
            lambda: text_target(value_of),
            [b"info depth 3 score cp -31 wdl 100 800 100", " ".join(GTP).encode()],
        ),
    }
    for name, (_, whole, words) in BOOKS.items():
        found[name] = book(name), [whole.encode(), " ".join(words).encode()]
    for game, (whole, words) in PASTED.items():
        found[f"pasted-{game.partition(':')[0]}"] = pasted(game), [whole.encode(), " ".join(words).encode()]
    return found


def main() -> None:
    """Fuzz one of the targets for some seconds."""
    with tempfile.TemporaryDirectory(prefix="lanista-fuzz-") as temporary:
        folder = Path(temporary)
        known = targets(folder)
        parser = argparse.ArgumentParser(description=__doc__)
        parser.add_argument("target", choices=sorted(known))
        parser.add_argument("seconds", type=int)
        words = parser.parse_args()
        make, begun = known[words.target]
        corpus = folder / "corpus"
        corpus.mkdir()
        for number, data in enumerate(begun):
            (corpus / str(number)).write_bytes(data[:MOST_BYTES])
        target = make()
        for data in begun:  # what is compiled or imported once is so before anything is counted
            target(data[:MOST_BYTES])
        flags = [f"-max_total_time={words.seconds}", f"-max_len={MOST_BYTES}", f"-timeout={INPUT_SECONDS}", "-seed=1"]
        kept: list[Any] = [sys.argv[0], str(corpus), *flags, f"-artifact_prefix={tempfile.gettempdir()}/"]
        atheris.Setup(kept, target)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
