"""What was measured, in one append-only file of JSON lines: a kill at any instant loses nothing that was told."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lanista.errors import UsageError
from lanista.files import claim_folder, sync_folder
from lanista.generate.learning import LearningMeasure
from lanista.generate.matches import Estimate
from lanista.generate.searching import Forced, Sample, SearchMeasure

FILE = "measures.jsonl"
FORMAT = 1


@dataclass(frozen=True)
class Settings:
    """What decides the measures.

    Attributes:
        family: whose variants.
        seed: of variants, openings, games and networks.
        games: of each match between search agents, even.
        shallow, deep: plies that the two searchers look ahead.
        train_seconds: of training each variant's network; 0 trains none.
    """

    family: str
    seed: int = 0
    games: int = 100
    shallow: int = 2
    deep: int = 4
    train_seconds: float = 3.0

    def check(self) -> None:
        """Refuse numbers that cannot be.

        Raises:
            UsageError: one cannot.
        """
        if self.games < 2 or self.games % 2:
            raise UsageError(f"--games is an even number, two for each opening, not {self.games}")
        if not 1 <= self.shallow < self.deep:
            raise UsageError(f"--shallow is at least 1 and less than --deep, not {self.shallow} with {self.deep}")
        if not 0 <= self.train_seconds < float("inf"):
            raise UsageError(f"--train-seconds is 0 or more, not {self.train_seconds:g}")


class Record:
    """An open record. Use it as a context manager.

    Attributes:
        search, learning: game -> what was measured.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        """Open a folder's record, or begin one.

        Raises:
            UsageError: it cannot be written, is damaged, in use, or of other settings.
        """
        self.search: dict[str, SearchMeasure] = {}
        self.learning: dict[str, LearningMeasure] = {}
        self._path = claim_folder(folder) / FILE
        try:
            self._file = self._path.open("a+b")
        except OSError as error:
            raise UsageError(f"cannot write to {self._path}: {error.strerror}") from None
        try:
            self._claim()
            lines = self._whole_lines()
            if lines:
                self._check(lines[0], settings)
                self._read(lines[1:])
            else:
                self._append({"format": FORMAT, "settings": asdict(settings)})
                sync_folder(folder)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add_search(self, game: str, measure: SearchMeasure) -> None:
        """Keep a measure; it is on the disk when this returns."""
        self._append({"game": game, "search": asdict(measure)})
        self.search[game] = measure

    def add_learning(self, game: str, measure: LearningMeasure) -> None:
        """Keep a measure; it is on the disk when this returns."""
        self._append({"game": game, "learning": asdict(measure)})
        self.learning[game] = measure

    def _append(self, line: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(line).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def _claim(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(f"{self._path} is being written by another process") from None

    def _whole_lines(self) -> list[dict[str, Any]]:
        """The lines so far; a last one that a kill cut short is taken away."""
        self._file.seek(0)
        lines, kept = [], 0
        data = self._file.read()
        for number, text in enumerate(data.splitlines(keepends=True), 1):
            try:
                line = json.loads(text) if text.endswith(b"\n") else None
            except ValueError:
                line = None
            if not isinstance(line, dict):
                if kept + len(text) < len(data):
                    raise UsageError(f"{self._path} is damaged at line {number}: take the line away, or another --out")
                break
            lines.append(line)
            kept += len(text)
        self._file.truncate(kept)
        return lines

    def _check(self, head: Mapping[str, Any], settings: Settings) -> None:
        found = head.get("settings")
        if head.get("format") != FORMAT or not isinstance(found, dict):
            raise UsageError(f"{self._path} is no record of generated games of format {FORMAT}")
        for field in fields(settings):
            wanted = getattr(settings, field.name)
            if found.get(field.name) != wanted:
                option = field.name.replace("_", "-")
                raise UsageError(
                    f"{self._path.parent} was begun with --{option} {found.get(field.name)}, not {wanted}; "
                    "choose another --out"
                )

    def _read(self, lines: list[dict[str, Any]]) -> None:
        for number, line in enumerate(lines, 2):
            try:
                if "search" in line:
                    self.search[str(line["game"])] = _search(line["search"])
                else:
                    self.learning[str(line["game"])] = _learning(line["learning"])
            except (KeyError, TypeError):
                raise UsageError(
                    f"{self._path} is damaged at line {number}: take the line away, or another --out"
                ) from None


def _search(plain: Mapping[str, Any]) -> SearchMeasure:
    estimates = {name: Estimate(**plain[name]) for name in ("first_seat", "first_seat_shallow", "draws", "depth")}
    sample = plain["sample"]
    forced = None if plain["forced"] is None else Forced(**plain["forced"])
    lists = {name: tuple(sample[name]) for name in ("opening", "moves", "returns")}
    return SearchMeasure(**{**plain, **estimates, "sample": Sample(sample["seed"], **lists), "forced": forced})


def _learning(plain: Mapping[str, Any]) -> LearningMeasure:
    estimates = {name: Estimate(**plain[name]) for name in ("against_random", "against_shallow")}
    return LearningMeasure(**{**plain, **estimates})
