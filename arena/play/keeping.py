"""What outlives the server: open games as files, finished ones in stores, people beside agents."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import threading
import time
from collections.abc import Container
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lanista.agents.contestant import load_agent
from lanista.agents.time_control import TimeControl
from lanista.arena.entrants import PERSON, digest
from lanista.arena.play.chess_clock import ChessClock
from lanista.arena.play.move_tree import Node
from lanista.arena.play.session import Result, Rules, Seat, Session
from lanista.arena.play.table import Start
from lanista.arena.store import Store
from lanista.arena.stored_games import StoredGame
from lanista.errors import UsageError
from lanista.files import read_json, write_json

logger = logging.getLogger("lanista.play")
KEPT_DAYS = 30.0  # a game that nobody touched for so long is forgotten
MOST_KEPT = 2000
NUMBER = re.compile(r"[\w-]{6,24}")  # of a session


def data_folder() -> Path:
    """Where a user's programs keep their data, by the XDG rules."""
    home = os.environ.get("XDG_DATA_HOME", "")
    return (Path(home) if home else Path.home() / ".local" / "share") / "lanista" / "play"


def to_plain(session: Session) -> dict[str, Any]:
    """A session as plain data, none of which changes with the session: it is written down by another thread."""
    clock, rules = session.clock, session.rules
    control = None if rules.control is None else vars(rules.control)
    nodes = session.tree.nodes
    return {
        "format": 1,
        "number": session.number,
        "title": session.title,
        "start": vars(session.start),
        "seats": [vars(seat) for seat in session.seats],
        "rules": vars(rules) | {"control": control},
        "nodes": [[node.parent, list(node.actions), node.seconds, node.chance, node.best] for node in nodes[1:]],
        "children": [list(node.children) for node in nodes],
        "live": session.live,
        "opening": session.opening,
        "result": None if session.result is None else vars(session.result),
        "left": None if clock is None else list(clock.left),
        "saved": session.saved,
        "restored": session.restored,
    }  # fmt: skip


def from_plain(plain: dict[str, Any], now: float) -> Session:
    """The session again; its moves are played by the rules, so that no file can make an illegal position.

    Raises:
        UsageError: it is damaged.
    """
    try:
        control = plain["rules"]["control"]
        rules = Rules(**(plain["rules"] | {"control": None if control is None else TimeControl(**control)}))
        seats = tuple(Seat(**seat) for seat in plain["seats"])
        session = Session(Start(**plain["start"]), seats, rules, plain["number"], plain["title"])
        for parent, actions, seconds, chance, best in plain["nodes"]:
            session.table.go_to(session.tree.moves(parent))
            movers = session.table.movers()
            word = " ".join(session.table.print_move(action) for action in actions)
            step = session.table.step(actions)
            returns = tuple(a + b for a, b in zip(session.tree[parent].returns, step.rewards, strict=True))
            node = Node(0, parent, movers, tuple(actions), word, returns, step.ended, seconds, chance, best)
            session.tree.add(parent, node)
        for node, children in zip(session.tree.nodes, plain["children"], strict=True):
            if sorted(node.children) != sorted(children):
                raise ValueError("its tree is no tree")
            node.children = list(children)
        session.live, session.opening = plain["live"], plain["opening"]
        if session.live not in session.tree:
            raise ValueError("it stands nowhere")
        if plain["result"] is not None:
            session.result = Result(**(plain["result"] | {"returns": tuple(plain["result"]["returns"])}))
        if session.clock is not None and plain["left"] is not None:
            session.clock = ChessClock(session.clock.control, [float(each) for each in plain["left"]])
            session.begin(now)
        session.saved, session.restored = bool(plain["saved"]), bool(plain["restored"])
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise UsageError(f"this game cannot be read: {type(error).__name__}: {error}") from None
    return session


@dataclass
class Keeper:
    """Files of open games in a folder, and stores of finished ones.

    Attributes:
        folder: for both; made when it is first written to.
        db: the store that was named on the command line, for games of its own game.
    """

    folder: Path = field(default_factory=data_folder)
    db: Path | None = None

    def __post_init__(self) -> None:
        self._writing = threading.Lock()
        self._newest: dict[str, int] = {}  # number of the state in each session's file

    def keep(self, plain: dict[str, Any], state: int = 0) -> None:
        """Write a session's file; a kill leaves the old one or the new one.

        Args:
            plain: the session.
            state: a number that grows with time: of two threads that write one session the newer state stays.
        """
        folder, number = self.folder / "open", plain["number"]
        folder.mkdir(parents=True, exist_ok=True)
        with self._writing:
            if state >= self._newest.get(number, state):
                write_json(folder / f"{number}.json", plain)
                self._newest[number] = state

    def read_kept(self, number: str, now: float) -> Session | None:
        """The session of a number, if it was kept and can be read."""
        if not NUMBER.fullmatch(number):
            return None
        path = self.folder / "open" / f"{number}.json"
        try:
            return from_plain(read_json(path, "a game"), now) if path.is_file() else None
        except UsageError as error:
            logger.warning("the game %s is not shown: %s", number, error)
            return None

    def forget_old(self) -> None:
        """Remove the files of games that nobody has touched for long."""
        folder = self.folder / "open"
        if not folder.is_dir():
            return
        files = sorted(folder.glob("*.json"), key=lambda path: -path.stat().st_mtime)
        # Not later than the newest: a clock that jumps a year ahead would take all of them for old.
        limit = min([time.time(), *(path.stat().st_mtime for path in files[:1])]) - KEPT_DAYS * 86400
        for place, path in enumerate(files):
            if place >= MOST_KEPT or path.stat().st_mtime < limit:
                path.unlink(missing_ok=True)

    def store_path(self, game: str) -> Path:
        """The store that a finished game goes to."""
        if self.db is not None and (not self.db.exists() or _game_of(self.db) in (None, game)):
            return self.db
        return self.folder / f"{re.sub('[^a-z0-9_=,]+', '-', game.lower())}.sqlite"

    def store(self, session: Session) -> Path | None:
        """Write a finished game of two players, at least one of them a person, into its store; once.

        Raises:
            UsageError: the store cannot be written to, as while a tournament plays in it.
        """
        if not storable(session):
            return None
        path = self.store_path(session.spec.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with Store(path) as store:
            store.settle(
                {"game": session.spec.name, "perfect_information": session.table.game.spec.perfect_information}
            )
            seats = entered(store, session)
            (key,) = store.meet([tuple(sorted(seats))]).values()
            numbers = [number for meeting, number, _ in store.places() if meeting == key]
            game = stored_game(session, seats, max(numbers, default=-1) + 1)
            if not _holds(store, game):  # a kill may have come after it was stored, and before that was written down
                store.add([game])
        session.saved = True
        return path

    def store_unsaved(self, opened: Container[str] = ()) -> None:
        """Store the games that were over when the server was killed, before anybody opens them again.

        Args:
            opened: numbers of sessions that are stored by who has opened them already.
        """
        for path in sorted((self.folder / "open").glob("*.json")):
            if path.stem in opened or not NUMBER.fullmatch(path.stem):  # a kill may have left the draft of a file
                continue
            try:
                plain = read_json(path, "a game")
                if plain.get("result") is None or plain.get("saved") or plain.get("restored"):
                    continue
                session = from_plain(plain, 0.0)
                if self.store(session) is not None:
                    self.keep(to_plain(session))  # unless somebody has opened it meanwhile, and gone on with it
            except (UsageError, OSError) as error:
                logger.warning("a finished game was not stored: %s", error)


def _holds(store: Store, game: StoredGame) -> bool:
    """Whether a store has a game already, under whatever number: each game on the page has a seed of its own."""
    games = store.games()
    same = games.take(games.seeds == game.seed)
    return any(each.names == game.names and each.leg == game.leg and each.moves == game.moves for each in same)


def storable(session: Session) -> bool:
    """Whether a game is one that ratings can be made of."""
    return (
        session.over and not session.saved and not session.restored and not session.rules.analysis
        and session.spec.players == 2 and bool(session.persons())
        and session.seats[0] != session.seats[1] and session.live != 0 and session.result is not None
        and session.result.reason != "broken"
    )  # fmt: skip


def entered(store: Store, session: Session) -> tuple[str, ...]:
    """Enter who sat in a finished session; their names in the store, seat by seat.

    Who has changed since its other games there, as a run that trains on, is somebody else: its name gets a mark.
    """
    known, names = store.digests(), []
    for seat in session.seats:
        mark = digest_of(seat)
        names.append(seat.stored if known.get(seat.stored, mark) == mark else f"{seat.stored}@{mark[:8]}")
        store.enter({names[-1]: mark})
    return tuple(names)


def stored_game(session: Session, seats: tuple[str, ...], number: int) -> StoredGame:
    """A finished session as a tournament's store has games.

    Args:
        session: the session.
        seats: the names of who sat there, as they are in the store.
        number: of the game among those of the two.
    """
    result = session.result
    assert result is not None
    moves = session.tree.moves(session.live)
    given = session.tree.line(session.live)[: session.opening]
    names = tuple(sorted(seats))  # the two who met as stores have them: the lesser name first
    thought = [node.seconds for node in session.tree.line(session.live)[session.opening :]]
    return StoredGame(
        names=names, number=number, leg=int(seats != names), seed=session.start.seed,
        opening=tuple(action for node in given for action in node.actions), moves=moves, returns=result.returns,
        reason=result.reason, at_fault=result.at_fault, stored_at=time.time(), position=session.start.position or "",
        seconds=tuple(each or 0.0 for each in thought) if session.clock is not None else (),
    )  # fmt: skip


def digest_of(seat: Seat) -> str:
    """What tells whether a contestant is still the one that played before; of a person, the name."""
    if seat.kind == "person":
        return hashlib.sha256((PERSON + seat.name).encode()).hexdigest()
    return digest(load_agent(seat.name))


def _game_of(path: Path) -> str | None:
    """The game of a store; None if it has none yet."""
    with Store(path, write=False) as store:
        found: str | None = store.setting("game")
    return found


def seats_of(game: StoredGame) -> tuple[Seat, ...]:
    """The seats of a stored game."""
    return tuple(
        Seat("person", name.removeprefix(PERSON)) if name.startswith(PERSON) else Seat("agent", name)
        for name in game.seats
    )


def reopened(game: str, number: int, stored: StoredGame) -> Session:
    """A stored game to step through and to try variations on.

    Raises:
        UsageError: the rules do not play it.
    """
    session = Session(Start(game, stored.seed, stored.position or None), seats_of(stored), title=f"Game {number}")
    session.replay(tuple(tuple(move) if isinstance(move, list) else move for move in stored.moves))
    session.opening = len(stored.opening)
    if session.result is None:
        words = {"end": session.table.end_words(), "resigned": "resignation", "time": "time is over"}
        said = words.get(stored.reason, stored.reason)
        session.result = Result(tuple(stored.returns), stored.reason, said, stored.at_fault)
    session.restored = True
    return session
