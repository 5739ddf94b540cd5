"""Whether a store tells the truth: every game is played again by the rules, from its seed and moves.

All games are replayed as one batch, so that Python runs once a ply. What the rules do not decide, such as who crashed,
is checked as far as they go: that it was this player's turn, that the move called illegal is, that the points are
those of a forfeit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from gymnasium import spaces

from lanista.agents.adjudication import ADJUDICATED
from lanista.agents.awarded_returns import adjudicated_returns, forfeit_returns
from lanista.agents.contestant import load_agent
from lanista.agents.random_openings import random_openings
from lanista.arena.entrants import PERSON, digest
from lanista.arena.meetings import Meeting, meeting_seeds
from lanista.arena.store import Store
from lanista.arena.stored_games import StoredGame
from lanista.envs import make
from lanista.envs.batched import begin_games
from lanista.envs.core import Array, Bools, Choice, Game, GameSpec, Ints
from lanista.envs.loop import wrong_actions
from lanista.errors import UsageError

COPIES = 4096  # games that are replayed together
ILLEGAL = "illegal action "  # how such a failure is told


@dataclass(frozen=True)
class Wrong:
    """A game that is not as it is stored.

    Attributes:
        game: its number in the store.
        names, opening, leg: its place: who met, over which opening, in which seats.
        why: what is wrong, in words.
    """

    game: int
    names: tuple[str, ...]
    opening: int
    leg: int
    why: str


@dataclass(frozen=True)
class Verdict:
    """What was found of a store.

    Attributes:
        game: the game's string.
        games: how many are stored.
        wrong: the games that are not as they are stored, by their numbers.
        file: what SQLite finds wrong in the file itself.
        changed: contestants that are not any more who played here.
        missing: contestants that cannot be found here now, and why.
        rules: what is to be said of the game's version; empty if it is the same.
    """

    game: str
    games: int
    wrong: tuple[Wrong, ...]
    file: tuple[str, ...]
    changed: tuple[str, ...]
    missing: Mapping[str, str]
    rules: str

    @property
    def true(self) -> bool:
        """Every game is as it is stored."""
        return not self.wrong and not self.file

    def to_json(self) -> dict[str, Any]:
        """For scripts."""
        return asdict(self) | {"true": self.true}


@dataclass(frozen=True)
class Replayed:
    """Where games stand after their stored moves.

    Attributes:
        returns: each player's sum of rewards.
        finished: the rules ended the game, or cut it off.
        cut: it was cut off.
        broken: the environment raised.
        played: how many moves were played; fewer than there are if one is illegal or the game was over.
        illegal: the next of the moves is illegal.
        turn: who must act now.
        claim: the action that was asked about is illegal here.
    """

    returns: Array  # (n, players) float64
    finished: Bools  # (n,)
    cut: Bools  # (n,)
    broken: Bools  # (n,)
    played: Ints  # (n,)
    illegal: Bools  # (n,)
    turn: Bools  # (n, players)
    claim: Bools  # (n,)


def verify(store: Store) -> Verdict:
    """Check all games of a store, and whether who played them and the rules are still the same.

    Raises:
        UsageError: the store is of no game that can be made here.
    """
    name = store.game_string()
    board = make(name)
    games, damaged = store.readable()
    wrong = {number: _unread(number, why) for number, why in damaged.items()}
    seed, digests = store.setting("seed"), store.digests()
    found = (
        *_misplaced(games, seed),
        *_misplayed(name, board.spec, games),
        *_misdrawn(name, store, games),
    )
    for number, game, why in found:
        wrong.setdefault(number, Wrong(number, game.names, game.number, game.leg, why))
    changed, missing = _contestants(digests)
    return Verdict(
        game=name,
        games=len(games) + len(damaged),
        wrong=tuple(wrong[number] for number in sorted(wrong)),
        file=tuple(store.faults_of_file()),
        changed=changed,
        missing=missing,
        rules=_rules(store, board),
    )


def _unread(number: int, why: str) -> Wrong:
    return Wrong(number, (), -1, -1, why)


def _misplaced(games: Mapping[int, StoredGame], seed: int | None) -> Iterator[tuple[int, StoredGame, str]]:
    """Games whose place, seed or opening cannot be: number, game, why."""
    openings: dict[Meeting, tuple[int, tuple[Any, ...], int, str]] = {}
    meetings = [Meeting(game.names, game.number) for game in games.values()]
    seeds = meeting_seeds(seed, meetings) if seed is not None else [game.seed for game in games.values()]
    for (number, game), key, drawn in zip(games.items(), meetings, seeds, strict=True):
        if game.seed != drawn:
            yield number, game, f"its seed {game.seed} is not the one of its place"
        else:
            first = openings.setdefault(key, (number, game.opening, game.seed, game.position))
            if first[1:] != (game.opening, game.seed, game.position):
                yield number, game, f"its opening is not the one of game {first[0]}, which was played from the same"


def _misdrawn(name: str, store: Store, games: Mapping[int, StoredGame]) -> Iterator[tuple[int, StoredGame, str]]:
    """Games whose random opening is not the one that their seed draws: number, game, why."""
    plies = store.setting("opening_plies")
    if plies is None or store.setting("openings") not in (None, "random"):
        return  # of a book or an agent's choice, which need not be here
    seeds = list(dict.fromkeys(game.seed for game in games.values()))
    drawn = dict(zip(seeds, random_openings(name, seeds, (plies[0], plies[1])), strict=True))
    for number, game in games.items():
        if game.opening != drawn[game.seed]:
            yield number, game, "its opening is not the one that its seed draws"


def _misplayed(name: str, spec: GameSpec, games: Mapping[int, StoredGame]) -> Iterator[tuple[int, StoredGame, str]]:
    """Games that the rules play otherwise: number, game, why."""
    space = _form(spec)
    sound = {}
    for number, game in games.items():
        why = _shape(game, spec, space)
        if why:
            yield number, game, why
        else:
            sound[number] = game
    listed = list(sound.items())
    for begin in range(0, len(listed), COPIES):
        part = listed[begin : begin + COPIES]
        claims = [_claimed(game.reason) for _, game in part]
        seeds, moves = [game.seed for _, game in part], [game.moves for _, game in part]
        given = [len(game.opening) for _, game in part]
        found = replay_all(name, seeds, moves, claims, given, [game.position for _, game in part])
        for row, (number, game) in enumerate(part):
            why = _difference(spec, game, found, row, claims[row] >= 0)
            if why:
                yield number, game, why


def _form(spec: GameSpec) -> Any:
    """A space of the form in which all roles' moves are stored: those of different forms flat and filled up.

    Which role a move is of is known only when it is played again; then it is looked at whether it may be.
    """
    actions: list[Any] = [role.action for role in spec.roles]
    if all(isinstance(action, spaces.Discrete) for action in actions):
        return max(actions, key=lambda action: int(action.n))
    if len({action.shape for action in actions}) == 1:
        return actions[0]
    width = max(math.prod(action.shape or ()) for action in actions)
    whole = all(np.issubdtype(action.dtype, np.integer) for action in actions)
    return spaces.MultiDiscrete(np.ones(width, np.int64)) if whole else spaces.Box(-np.inf, np.inf, (width,))


def _shape(game: StoredGame, spec: GameSpec, space: Any) -> str:
    """Why a game's numbers cannot be replayed at all, if they cannot."""
    if isinstance(space, spaces.Discrete):
        if not all(type(move) is int for move in game.moves):
            return "one of its moves is no action's number"
        if game.moves and not (min(game.moves) >= 0 and max(game.moves) < space.n):
            return f"one of its moves is no action from 0 to {int(space.n) - 1}"
    else:
        shape = space.shape or ()
        if any(np.shape(move) != shape for move in game.moves):
            return f"one of its moves does not have the shape {shape}"
    if len(game.returns) != spec.players or not all(isinstance(each, int | float) for each in game.returns):
        return f"it does not have {spec.players} players' points"
    if game.at_fault is not None and not 0 <= game.at_fault < spec.players:
        return f"it has no player {game.at_fault} who could have failed"
    return ""


def _claimed(reason: str) -> int:
    """The action that a failure's words call illegal; -1 if they call none."""
    text = reason.removeprefix(ILLEGAL)
    return int(text) if text != reason and text.isdecimal() and len(text) < 18 else -1


def _difference(spec: GameSpec, game: StoredGame, found: Replayed, row: int, claims: bool) -> str:
    """What the rules say otherwise of one replayed game; empty if nothing."""
    played, stored = int(found.played[row]), len(game.moves)
    sums = tuple(found.returns[row].tolist())
    if found.illegal[row]:
        return f"move {played + 1}, {game.moves[played]}, is illegal"
    if found.broken[row] or game.void:
        return "" if game.void else "the environment broke while it was played again"
    if found.finished[row]:
        ended = "truncated" if found.cut[row] else "end"
        if played < stored:
            return f"it is over after move {played}, but {stored} are stored"
        if game.reason != ended or game.at_fault is not None:
            return f"the rules end it ({ended}), but its reason is '{game.reason}'"
        return (
            "" if sums == game.returns else f"the rules give it the points {_listed(sums)}, not {_listed(game.returns)}"
        )
    if game.reason in ("end", "truncated"):
        return f"it is not over after its {stored} moves, but its reason is '{game.reason}'"
    least, greatest = spec.returns
    if not all(least <= each <= greatest for each in game.returns):
        return f"the points {_listed(game.returns)} are none of this game"
    if game.at_fault is None:
        return _misjudged(spec, game, found.turn[row], sums)
    if not found.turn[row, game.at_fault]:
        return f"it was not the turn of player {game.at_fault}, who is said to have failed"
    if claims and not found.claim[row]:
        return f"its reason is '{game.reason}', but that action is legal"
    forfeit = forfeit_returns(spec, sums, [game.at_fault])
    if spec.kind == "turn-based" and forfeit != game.returns:
        return f"a forfeit of player {game.at_fault} gives {_listed(forfeit)}, not {_listed(game.returns)}"
    return ""


def _misjudged(spec: GameSpec, game: StoredGame, turn: Bools, sums: tuple[float, ...]) -> str:
    """What is wrong with the points of a game that nobody lost by a fault and that the rules did not end."""
    if game.reason not in ADJUDICATED:
        return ""  # stopped by a limit that the rules do not know
    judged = [adjudicated_returns(spec, game.reason, sums, player) for player in np.flatnonzero(turn).tolist()]
    return "" if game.returns in judged else f"{game.reason} does not give the points {_listed(game.returns)}"


def _listed(points: Sequence[float]) -> str:
    return " ".join(f"{each:g}" for each in points)


def replay_all(
    game: str,
    seeds: Sequence[int],
    moves: Sequence[Sequence[Any]],
    claims: Sequence[int] | None = None,
    openings: Sequence[int] | None = None,
    positions: Sequence[str] = (),
) -> Replayed:
    """Play games again, all at once, each as far as its moves go and are legal.

    Args:
        game: the game's string.
        seeds: of each game.
        moves: of each game, its opening included; of the shape of the game's actions.
        claims: for each game an action of which is asked whether it is illegal in the end; -1 asks nothing.
        openings: of each game, how many of its moves were given and count for nobody; None is 0.
        positions: that they begin from, "" the game's own start; none is that for all.
    """
    board = make(game, len(seeds), restart=False)
    begin_games(board, list(seeds), positions=positions)
    n, players = board.copies, board.spec.players
    lengths = np.fromiter(map(len, moves), np.int64, n)
    table = _table(board.spec, moves, lengths)
    asked = np.full(n, -1) if claims is None else np.asarray(claims, np.int64)
    given = np.zeros(n, np.int64) if openings is None else np.asarray(openings, np.int64)
    found = _begun(n, players)
    while len(turn := board.turn()):
        copies = turn.copies
        seats = np.bincount(copies, minlength=n)  # (n,) of one moment; more than one where all act at once
        done = (found.played + seats > lengths) & (seats > 0)  # (n,) no whole round of moves is left
        resting = done[copies]
        found.turn[copies[resting], turn.players[resting]] = True
        if turn.legal is not None and (asked[copies[resting]] >= 0).any():
            rows = np.flatnonzero(resting & (asked[copies] >= 0))
            inside = asked[copies[rows]] < turn.legal.shape[1]
            legal = turn.legal[rows, np.where(inside, asked[copies[rows]], 0)]
            found.claim[copies[rows]] = ~(inside & legal)
        rows = np.flatnonzero(~resting)
        order = np.lexsort((turn.players, copies))
        place = np.zeros(len(turn), np.int64)  # (k,) which of its copy's moves of this moment
        place[order] = np.arange(len(turn)) - np.repeat(np.cumsum(seats) - seats, seats)
        actions = table[copies[rows], found.played[copies[rows]] + place[rows]]
        if len(rows):
            bad = wrong_actions(turn.take(rows), Choice(actions), board.spec)
            if bad:
                found.illegal[copies[rows[list(bad)]]] = True
                keep = ~found.illegal[copies[rows]]
                rows, actions = rows[keep], actions[keep]
        stopped = np.unique(copies[done[copies] | found.illegal[copies]])
        if len(rows):
            outcome = board.step(actions, rows if len(rows) < len(turn) else None)
            found.returns[:] += np.where((found.played >= given)[:, None], outcome.rewards, 0)
            found.cut[:] |= outcome.truncated.any(axis=1)
            found.finished[:] |= outcome.finished
            found.broken[:] |= outcome.broken
            np.add.at(found.played, copies[rows], 1)
            stopped = np.union1d(stopped, np.flatnonzero(outcome.broken))
        if len(stopped):
            board.stop(stopped)
    return found


def _begun(n: int, players: int) -> Replayed:
    """Where `n` games stand before their first move."""
    return Replayed(
        returns=np.zeros((n, players)),
        finished=np.zeros(n, bool),
        cut=np.zeros(n, bool),
        broken=np.zeros(n, bool),
        played=np.zeros(n, np.int64),
        illegal=np.zeros(n, bool),
        turn=np.zeros((n, players), bool),
        claim=np.zeros(n, bool),
    )


def _table(spec: GameSpec, moves: Sequence[Sequence[Any]], lengths: Ints) -> Array:
    """The moves of all games side by side, filled up from the right."""
    space = _form(spec)
    dtype = np.int64 if isinstance(space, spaces.Discrete | spaces.MultiDiscrete) else space.dtype
    table = np.zeros((len(moves), int(lengths.max(initial=0)) + 1, *(space.shape or ())), dtype)
    flat = [move for each in moves for move in each]
    if flat:
        table[np.arange(table.shape[1]) < lengths[:, None]] = np.array(flat, dtype)
    return table


def _contestants(digests: Mapping[str, str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """Who has changed since, and who cannot be found, and why."""
    changed, missing = [], {}
    for name, known in digests.items():
        if name.startswith(PERSON):  # who is not in a file
            continue
        try:
            now = digest(load_agent(name))
        except (UsageError, OSError) as error:
            missing[name] = " ".join(str(error).split())
        else:
            if now != known:
                changed.append(name)
    return tuple(changed), missing


def _rules(store: Store, board: Game) -> str:
    """What is to be said of the versions of the rules that played the games."""
    now = getattr(getattr(board, "rules", None), "key", None)
    others = sorted(number for number, (_, versions) in store.sessions().items() if versions.get("rules", now) != now)
    if not others:
        return ""
    which = f"session{'s' * (len(others) > 1)} {', '.join(map(str, others))}"
    return f"the files of the game's rules have changed since {which}; the games are checked by those of today"
