"""A runner's part of the league: members in slots of the loop, seated in new games, and what became of these games."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lanista.agents.contestant import load_agent
from lanista.agents.kinds import network
from lanista.agents.pairs import divisions, points_between
from lanista.envs.core import Agent, Array, Choice, Floats, GameSpec, Ints, Turn, start_agent
from lanista.training.league import LeagueNews, Member, Seating
from lanista.training.settings import TrainSettings


def league_play(settings: TrainSettings, spec: GameSpec, seed: int) -> LeaguePlay | None:
    """The members of one runner of a run; None where the run has no league."""
    if not settings.league_size:
        return None
    return LeaguePlay(
        spec, round(settings.copies * settings.league_share), settings.league_opponents_at_once,
        settings.league_redraw, seed,
    )  # fmt: skip


def load_member(member: Member, folder: Path) -> Agent:
    """A member as it plays in the league: a past self draws from its policy, as it did when it was the learner.

    Args:
        member: who.
        folder: of the past selves.

    Raises:
        UsageError: it is gone or damaged.
    """
    if not member.frozen:
        return load_agent(member.name)
    # The game's symmetries would be as many times the arithmetic.
    agent: Agent = network.make(str(folder / member.name), temperature=1.0, symmetry=False)
    return agent


class Slot:
    """An agent of the loop behind which members take turns."""

    def __init__(self, number: int) -> None:
        self.name = f"league slot {number}"
        self.member: Member | None = None
        self._agent: Agent | None = None

    def seat(self, member: Member, agent: Agent) -> None:
        """From now on it is this member."""
        self.member, self._agent = member, agent

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        """What the member answers."""
        assert self._agent is not None, "nobody is seated at a slot without a member"
        return self._agent.act(turn, memory)

    def finish(self, games: Ints) -> None:
        """Tell the member which games are over, if it wants to know."""
        finish = getattr(self._agent, "finish", None)
        if finish is not None:
            finish(games)


class LeaguePlay:
    """Draws the members that a runner plays, seats them, and counts.

    Members are drawn anew now and then. Those drawn before play the games that they have begun to the end, so that
    short games do not count more than long ones: there are twice as many slots as members at once.
    """

    def __init__(self, spec: GameSpec, copies: int, at_once: int, redraw: int, seed: int) -> None:
        """Nobody is seated.

        Args:
            spec: the game's, of at least two players.
            copies: in the first so many copies of the game members are seated.
            at_once: how many members are drawn, with repetition.
            redraw: updates after which they are drawn anew.
            seed: of what is drawn; every runner has its own.
        """
        self.spec = spec
        self.copies = copies
        self.slots = [Slot(number) for number in range(2 * at_once)]
        self._at_once, self._redraw, self._seed = at_once, redraw, seed % 2**63
        self._open: Ints = np.zeros(0, np.int64)  # slots from which new games draw, each as often as it was drawn
        self._kept: list[Member | None] = [None] * len(self.slots)  # of a checkpoint, to be loaded
        self._games: NDArray[np.float64] = np.zeros(len(self.slots))
        self._points: NDArray[np.float64] = np.zeros(len(self.slots))

    def keep(self, member: Member, agent: Agent) -> None:
        """Seat this one in all games."""
        self.slots[0].seat(member, agent)
        self._open = np.zeros(1, np.int64)

    def follow(self, seating: Seating, seats: Ints) -> None:
        """Draw members anew if it is time to.

        Args:
            seating: of the run's league.
            seats: (n, players) who sits where now: 1 + a slot, or 0 for the learner.
        """
        for slot, member in enumerate(self._kept):
            if member is not None:
                self._load(slot, member, seating.folder)
        self._kept = [None] * len(self.slots)
        if not seating.members or (len(self._open) and seating.update % self._redraw):
            return
        random = np.random.default_rng([self._seed, seating.update])
        drawn = random.choice(len(seating.members), self._at_once, p=seating.probabilities)
        wanted = [seating.members[number] for number in drawn.tolist()]
        busy = np.bincount(seats.ravel(), minlength=1 + len(self.slots))[1:] > 0
        free = [number for number, slot in enumerate(self.slots) if not busy[number] and slot.member not in wanted]
        opened = []
        for member in wanted:
            at = next((number for number, slot in enumerate(self.slots) if slot.member == member), None)
            if at is None:
                if not free:
                    continue  # long games hold all slots: it waits for the next time
                at = free.pop(0)
                self._load(at, member, seating.folder)
            opened.append(at)
        if opened:
            self._open = np.array(opened, np.int64)

    def _load(self, slot: int, member: Member, folder: Path) -> None:
        agent = load_member(member, folder)
        start_agent(agent, self.spec, (self._seed + zlib.crc32(member.name.encode())) % 2**63)
        self.slots[slot].seat(member, agent)

    def seats(self, draws: NDArray[np.uint64]) -> Ints:
        """Who sits where in new games: a member, and one of all ways to divide the seats between it and the learner.

        Args:
            draws: (m,) random numbers, one a game.

        Returns:
            (m, players): 1 + a slot, or 0 for the learner.
        """
        players = self.spec.players
        if not len(self._open):
            return np.zeros((len(draws), players), np.int64)
        among = np.uint64(len(self._open))
        slots = self._open[(draws % among).astype(np.int64)]
        ways = (draws // among) % np.uint64(2**players - 2)
        return np.where(divisions(1 + ways.astype(np.int64), players), 1 + slots[:, None], 0)

    def ended(self, seats: Ints, returns: Floats) -> None:
        """Count games that ended.

        Args:
            seats: (m, players) who sat where, as `seats` gave it.
            returns: (m, players).
        """
        theirs = (seats > 0).any(1)
        if not theirs.any():
            return
        slots = seats[theirs].max(1) - 1
        points = points_between(returns[theirs], seats[theirs] > 0)
        self._games += np.bincount(slots, minlength=len(self.slots))
        self._points += np.bincount(slots, points, len(self.slots))

    def news(self) -> LeagueNews:
        """How the games went that ended since the last call."""
        games: dict[str, float] = {}
        points: dict[str, float] = {}
        for slot, number, gained in zip(self.slots, self._games.tolist(), self._points.tolist(), strict=True):
            if slot.member is not None and number:
                games[slot.member.name], points[slot.member.name] = number, gained
        self._games[:] = 0
        self._points[:] = 0
        return LeagueNews(games, points)

    def save(self) -> dict[str, Array]:
        """Who has which slot, beside the games in hand."""
        members = [Member("", False) if slot.member is None else slot.member for slot in self.slots]
        return {
            "league_open": self._open,
            "league_names": np.array([member.name for member in members]),
            "league_frozen": np.array([member.frozen for member in members]),
        }

    def load(self, state: Mapping[str, Array]) -> None:
        """Go on from what `save` gave.

        Raises:
            KeyError, ValueError: it is damaged, or of another number of slots.
        """
        names, frozen = state["league_names"].tolist(), state["league_frozen"].tolist()
        if len(names) != len(self.slots) or len(frozen) != len(names):
            raise ValueError(f"the league's slots are {len(names)}, not {len(self.slots)}")
        self._open = state["league_open"].astype(np.int64)
        self._kept = [Member(str(n), bool(f)) if n else None for n, f in zip(names, frozen, strict=True)]
