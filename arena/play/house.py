"""All that a server of the page holds: sessions, the minds of agents, who can be met. It lets the agents move.

It runs in one event loop and computes no agent's move there. Views listen to sessions; nothing here draws.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lanista.arena.play.arcade.hall import Hall
from lanista.arena.play.eyes import Eye
from lanista.arena.play.hearing import INSTRUCTIONS, Ear
from lanista.arena.play.judging import can_be_judged, forget, unjudged, write_down
from lanista.arena.play.keeping import Keeper, to_plain
from lanista.arena.play.mind import Position, Thought
from lanista.arena.play.minds import PATIENCE, Minds
from lanista.arena.play.roster import Roster
from lanista.arena.play.runs import Runs
from lanista.arena.play.session import Rules, Seat, Session
from lanista.arena.play.sharing import Film
from lanista.arena.play.table import Start
from lanista.arena.play.thumbnails import Thumbnails
from lanista.arena.play.training_order import Settle
from lanista.errors import UsageError

MOST_SESSIONS = 500  # in memory; those that nobody looks at go first, and come back from their files
AGENT_AGAINST_AGENT = 5000  # plies, after which they have had enough
TICK = 0.2  # seconds between looks at the clocks
logger = logging.getLogger("lanista.play")

Listener = Callable[[], None]


@dataclass
class House:
    """See the module.

    Attributes:
        db: a tournament's store that may be looked at.
        film: makes a GIF of frames; None where that cannot be.
        settle: tells a run's settings, so that runs can be begun; None: they can only be looked at.
        runs: of training, in the roster's folder.
        moment: a clock in seconds, for tests.
    """

    roster: Roster = field(default_factory=Roster)
    keeper: Keeper = field(default_factory=Keeper)
    minds: Minds = field(default_factory=Minds)
    thumbnails: Thumbnails = field(default_factory=Thumbnails)
    ear: Ear = field(default_factory=Ear)
    instruction_ear: Ear = field(default_factory=lambda: Ear(INSTRUCTIONS))
    eye: Eye = field(default_factory=Eye)
    hall: Hall = field(default_factory=Hall)
    db: Path | None = None
    film: Film | None = None
    settle: Settle | None = None
    moment: Callable[[], float] = time.monotonic
    sessions: dict[str, Session] = field(default_factory=dict)
    analysts: dict[str, str] = field(default_factory=dict)  # of each session that is judged

    def __post_init__(self) -> None:
        self.runs = Runs(self.roster, self.settle)
        self._listeners: dict[str, set[Listener]] = {}
        self._driving: dict[str, asyncio.Task[None]] = {}
        self._ends: dict[str, int] = {}  # the node at which each finished session ended
        self._states = itertools.count(1)  # of sessions that are written down
        self._keeping: set[str] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._store_lock = asyncio.Lock()

    # --- sessions

    def open(self, session: Session) -> Session:
        """Take a new session in, and let its agents begin."""
        self.sessions[session.number] = session
        self._make_room()
        session.begin(self.moment())
        for seat in session.seats:
            if seat.kind == "agent" and not session.over:
                self.minds.warm_up(seat.name, session.start.game)
        self.changed(session)
        return session

    def new_game(
        self, game: str, seats: tuple[Seat, ...], rules: Rules, seed: int, position: str | None = None
    ) -> Session:
        """Begin a game whose names have been checked."""
        return self.open(Session(Start(game, seed, position), seats, rules))

    def session(self, number: str) -> Session | None:
        """A session by its number, also one of before a restart."""
        found = self.sessions.get(number)
        if found is None:
            found = self.keeper.read_kept(number, self.moment())
            if found is not None:
                self.open(found)
        return found

    def _make_room(self) -> None:
        for number in list(self.sessions)[: max(0, len(self.sessions) - MOST_SESSIONS)]:
            if not self._listeners.get(number):
                del self.sessions[number]
                self._ends.pop(number, None)

    def listen(self, session: Session, listener: Listener) -> Callable[[], None]:
        """Be called after every change of a session; the answer ends it."""
        group = self._listeners.setdefault(session.number, set())
        group.add(listener)
        return lambda: group.discard(listener)

    def changed(self, session: Session) -> None:
        """Tell the listeners, write the game down, and let agents move: to be called after every change."""
        self._told(session)
        self.drive(session)

    def _told(self, session: Session) -> None:
        """As `changed`, from within `_drive`, which goes on by itself."""
        ended = session.over and self._ends.get(session.number) != session.live
        if ended:  # an end that was seen is lost by no kill: it is written down before
            self._ends[session.number] = session.live
            self._write(to_plain(session), next(self._states))
        for listener in list(self._listeners.get(session.number, ())):
            try:
                listener()
            except Exception:  # a view that has gone
                logger.exception("a view failed")
        if not ended:
            self._keep(session)
        if session.over and not session.saved:
            self.soon(self._store(session))

    def soon(self, work: Any) -> asyncio.Task[Any]:
        """Run a coroutine beside all else; what goes wrong in it is logged."""
        task: asyncio.Task[Any] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("a task of the page failed", exc_info=task.exception())

    # --- what lasts

    def _keep(self, session: Session) -> None:
        if session.number not in self._keeping:
            self._keeping.add(session.number)
            self.soon(self._keep_soon(session))

    async def _keep_soon(self, session: Session) -> None:
        await asyncio.sleep(0.05)  # several changes at once are written together
        self._keeping.discard(session.number)
        await asyncio.to_thread(self._write, to_plain(session), next(self._states))

    def _write(self, plain: dict[str, Any], state: int) -> None:
        try:
            self.keeper.keep(plain, state)
        except OSError as error:
            logger.warning("cannot keep a game: %s", error)

    async def _store(self, session: Session) -> None:
        async with self._store_lock:
            try:
                if await asyncio.to_thread(self.keeper.store, session) is not None:
                    self._keep(session)
            except (UsageError, OSError) as error:
                logger.warning("a finished game was not stored: %s", error)

    async def begin(self) -> None:
        """Store what was finished when a server before this one was killed; what can wait comes after that."""
        async with self._store_lock:
            await asyncio.to_thread(self.keeper.store_unsaved, self.sessions)
        self.thumbnails.begin(self.roster.games())

    # --- agents

    def drive(self, session: Session) -> None:
        """Let the agents move whose turn it is, if nobody does that already."""
        task = self._driving.get(session.number)
        if (task is None or task.done()) and not session.paused and session.agent_to_move() is not None:
            self._driving[session.number] = self.soon(self._drive(session))

    async def _drive(self, session: Session) -> None:
        """Ask the agents in turn, until a person must move or the game is over."""
        watched = not session.persons()
        while (player := session.agent_to_move()) is not None and not session.paused:
            began = self.moment()
            if not await self.move_of(session, player):
                continue
            if watched:
                await asyncio.sleep(max(0.0, session.rules.pace - (self.moment() - began)))
                if len(session.tree) > AGENT_AGAINST_AGENT:
                    session.paused = True

    async def move_of(self, session: Session, player: int) -> bool:
        """Ask the agent at a seat and play its move; False if the game went elsewhere meanwhile."""
        at, version = session.live, session.version
        seconds, clock = PATIENCE, None
        if session.clock is not None:
            clock = (session.clock.remaining(player, self.moment()), session.clock.control.increment)
            seconds = min(PATIENCE, clock[0] + 1.0)
        position = Position(session.start, session.tree.moves(at), player, clock)
        (thought,) = await asyncio.wrap_future(self.minds.answer(session.seats[player].name, [position], seconds))
        if session.over or session.live != at or session.version != version:
            return False
        if thought.failed:
            session.fail(player, thought.failed)
        else:
            try:
                session.play(at, player, thought.action, self.moment())
            except UsageError as error:
                if not session.over:
                    session.fail(player, str(error))
        if can_be_judged(session) and self.analysts.get(session.number) == session.seats[player].name:
            write_down(session, at, thought)
        self._told(session)
        return True

    async def step_once(self, session: Session) -> None:
        """Let one agent move in a game that is paused."""
        session.paused = True
        player = session.agent_to_move()
        if player is not None:
            await self.move_of(session, player)

    async def tick(self) -> None:
        """Look at the clocks, for ever."""
        while True:
            await asyncio.sleep(TICK)
            for session in list(self.sessions.values()):
                if session.clock is not None and session.check_time(self.moment()):
                    self.changed(session)

    # --- analysis

    def analyst_names(self, session: Session) -> list[tuple[str, str]]:
        """Who can judge this game, as (what to say, contestant's string), the best known first."""
        found: list[tuple[str, str]] = []
        for opponent in self.roster.opponents(session.start.game, session.spec):
            for strength in opponent.strengths:
                head = strength.contestant.partition(":")[0]
                if head in ("random", "first-legal", "gtp") or "temperature" in strength.contestant:
                    continue
                found.append((f"{opponent.title}, {strength.label}", strength.contestant))
        file = session.spec.name.partition(":")[0]
        if file == "chess":  # a search without an evaluation knows nothing of a quiet position
            found.sort(key=lambda pair: (not pair[1].startswith("uci:"), "Skill" in pair[1], "depth" in pair[1]))
        elif file in ("go", "hex", "gomoku", "breakthrough"):
            found.sort(key=lambda pair: pair[1].startswith("minimax"))
        return found

    async def explain(self, session: Session, at: int, analyst: str) -> Thought:
        """What an analyst thinks of a position."""
        position = Position(session.start, session.tree.moves(at))
        (thought,) = await asyncio.wrap_future(self.minds.explain(analyst, position))
        if can_be_judged(session) and self.analysts.get(session.number) == analyst and session.tree[at].chance is None:
            write_down(session, at, thought)
        return thought

    def choose_analyst(self, session: Session, analyst: str) -> None:
        """Judge a session by somebody; another one's judgements are forgotten."""
        if self.analysts.get(session.number) != analyst:
            forget(session)
            self.analysts[session.number] = analyst

    async def judge(self, session: Session, at: int, told: Listener) -> str:
        """Let the session's analyst judge the whole line through a position, some positions at a time.

        Args:
            session: which.
            at: a position.
            told: called when some have been judged.

        Returns:
            Why it could not be done, or "".
        """
        analyst = self.analysts[session.number]
        left = unjudged(session, at)
        together = 32 if ":" not in analyst and "simulations" not in analyst else 4
        while left and self.analysts.get(session.number) == analyst:
            now, left = left[:together], left[together:]
            thoughts = await asyncio.wrap_future(self.minds.answer(analyst, [position for _, position in now]))
            if self.analysts.get(session.number) != analyst:
                return ""
            for (number, _), thought in zip(now, thoughts, strict=True):
                if thought.failed:
                    return f"{analyst} cannot judge this: {thought.failed}"
                if thought.chance is None:
                    return f"{analyst} tells no values of positions"
                write_down(session, number, thought)
            told()
        return ""

    def close(self) -> None:
        """End the agents."""
        self.minds.close()
        self.hall.close()
