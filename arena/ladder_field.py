"""Who plays on a ladder right now: the roster's wishes, as far as they can be fulfilled."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from lanista.agents.contestant import agent_folder, load_agent
from lanista.arena.entrants import digest
from lanista.arena.ladder_roster import Roster, State
from lanista.arena.store import Store
from lanista.arena.watched_folders import Signature, agents_in, signature
from lanista.envs.core import Agent, GameSpec, agent_name, start_agent
from lanista.errors import UsageError
from lanista.files import written_path
from lanista.plugs import one_line

AGAIN = 30.0  # seconds until one that could not play, and has no files to look at, is tried again
LONGEST_LOADING = 2.0  # seconds of loading until those who are seated play on


@dataclass(frozen=True)
class _Seated:
    """Someone who plays: the agent, the folder of its files if it has one, and what they looked like."""

    words: str
    agent: Agent
    folder: Path | None
    looks: Signature | None


@dataclass(frozen=True)
class _Refused:
    """Someone who cannot: what its files looked like, and when it was tried."""

    looks: Signature | None
    at: float


class Field:
    """The agents that play, by name; `refresh` brings them up to date."""

    def __init__(self, roster: Roster, store: Store, spec: GameSpec, seed: int) -> None:
        self._roster, self._store, self._spec, self._seed = roster, store, spec, seed
        self._seated: dict[str, _Seated] = {}  # by name
        self._refused: dict[str, _Refused] = {}  # by words
        self.skipped: dict[str, str] = {}  # words -> why, in a sentence

    @property
    def agents(self) -> dict[str, Agent]:
        """Who plays, in the order of their names."""
        return {name: self._seated[name].agent for name in sorted(self._seated)}

    def refresh(self) -> list[str]:
        """Seat who is new, retire who is gone.

        Returns:
            What happened, a sentence each.
        """
        wanted = self._wanted()
        said = [self._retire(name, why) for name, why in self._leaving(wanted)]
        for words in [words for words in self.skipped if words not in wanted]:
            del self.skipped[words]
            self._refused.pop(words, None)
        known = {seated.words for seated in self._seated.values()}
        until = time.monotonic() + LONGEST_LOADING
        for words in wanted:
            if words not in known and self._worth_trying(words) and time.monotonic() < until:
                said.append(self._seat(words))
        return [sentence for sentence in said if sentence]

    def skip(self, name: str, why: str) -> str:
        """Take someone off who turned out not to be able to play."""
        seated = self._seated.pop(name)
        return self._refuse(seated.words, seated.looks, name, why)

    def unable(self) -> list[str]:
        """Take off whoever cannot be started any more; what is to be said of it."""
        said = []
        for name, agent in self.agents.items():
            try:
                start_agent(agent, self._spec, self._seed)
            except Exception as error:  # whatever it is, the others play on
                said.append(self.skip(name, one_line(error)))
        return said

    def _wanted(self) -> list[str]:
        """The strings of all who should play: registered, or found in a watched folder, and not taken out."""
        kinds = self._roster.wanted()
        words = [each for each, kind in kinds.items() if kind == "agent"]
        for folder in (each for each, kind in kinds.items() if kind == "watch"):
            words += agents_in(written_path(folder))
        return [each for each in dict.fromkeys(words) if kinds.get(each) != "out"]

    def _leaving(self, wanted: list[str]) -> list[tuple[str, str]]:
        stay, leaving = set(wanted), []
        for name, seated in self._seated.items():
            if seated.words not in stay:
                leaving.append((name, "it was removed"))
            elif seated.folder is not None and (now := signature(seated.folder)) != seated.looks:
                gone = now is None
                leaving.append((name, "its folder is gone" if gone else "its files have changed"))
        return leaving

    def _retire(self, name: str, why: str) -> str:
        self._note(name, "retired", why, self._seated.pop(name).words)
        return f"{name} is retired: {why}"

    def _worth_trying(self, words: str) -> bool:
        refused = self._refused.get(words)
        if refused is None:
            return True
        looks = _looks(words)[1]
        return looks != refused.looks or (looks is None and time.monotonic() - refused.at > AGAIN)

    def _seat(self, words: str) -> str:
        """Load someone and see whether it can play."""
        folder, looks = _looks(words)
        name = words
        try:
            agent = load_agent(words)
            name = agent_name(agent)
            if name in self._seated:
                raise UsageError(f"'{name}' plays already")
            start_agent(agent, self._spec, self._seed)
            mark = digest(agent)
            if _looks(words)[1] != looks:
                raise UsageError("its files are still being written")
            self._store.enter({name: mark})
        except Exception as error:  # a ladder stands, whatever is put in its way
            return self._refuse(words, looks, words, one_line(error))
        self._seated[name] = _Seated(words, agent, folder, looks)
        self._refused.pop(words, None)
        self.skipped.pop(words, None)
        self._note(name, "plays", words=words)
        return f"{name} is seated"

    def _refuse(self, words: str, looks: Signature | None, name: str, why: str) -> str:
        said = self.skipped.get(words) == why
        self._refused[words] = _Refused(looks, time.monotonic())
        self.skipped[words] = why
        self._note(name, "skipped", why, words)
        return "" if said else f"{name} is skipped: {why}"

    def _note(self, name: str, state: State, note: str = "", words: str = "") -> None:
        self._roster.note(name, state, note, words)


def _looks(words: str) -> tuple[Path | None, Signature | None]:
    """The folder of a contestant's files and what they look like; None if it has none."""
    folder = agent_folder(written_path(words.partition("?")[0]))
    return folder, None if folder is None else signature(folder)
