"""Play against an agent: on a page in the browser, or in the terminal.

Example:
    lanista play
    lanista play --game go:size=9 --db t.sqlite
    lanista play --terminal --game othello
    lanista play --terminal --game connect_four --against minimax:depth=4
    lanista play --terminal --against runs/first --seat second

The page shows what the agent thinks, analyses positions, and opens the store named by --db, to which finished games of
its game are added; others go to a store of their own game in your data folder. It needs: pip install 'lanista[play]'.

At the terminal's prompt write a move; `?` lists the legal ones, `undo` takes your last move back, `quit` ends.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from tyro.conf import arg

from lanista.agents.contestant import load_agent, shipped
from lanista.cli._film import captioned, rasterised, write_film
from lanista.envs.catalogue import make
from lanista.envs.core import Agent, Array, Choice, Failure, Game, GameSpec, Ints, Turn, agent_name, start_agent
from lanista.envs.loop import play as play_loop
from lanista.errors import UsageError
from lanista.plugs import required

MOST_MOVES_SHOWN = 5  # of an agent's policy


@dataclass(frozen=True)
class Options:
    """What to play, and against whom."""

    terminal: bool = False
    """Play in this terminal instead of on a page."""
    game: Annotated[str, arg(metavar="GAME", help_behavior_hint="(default: the agent's game, or connect_four)")] = ""
    """The game."""
    against: Annotated[
        str, arg(metavar="AGENT", help_behavior_hint="(default: the game's agent that comes with Lanista, or a search)")
    ] = ""
    """Who plays the other seats; `lanista agents` lists who can. On the page: one more to choose from."""
    seat: Literal["first", "second"] = "first"
    """Where you sit, in the terminal."""
    seed: Annotated[int | None, arg(metavar="S", help_behavior_hint="(default: another one each time)")] = None
    """Of the game's and the agent's chance, in the terminal."""
    db: Annotated[Path | None, arg(metavar="FILE.sqlite", help_behavior_hint="")] = None
    """A tournament's store, to look at and to add finished games to."""
    port: Annotated[int | None, arg(metavar="PORT", help_behavior_hint="(default: the first free one from 8080)")] = (
        None
    )
    """Where the page listens."""
    host: Annotated[str, arg(metavar="HOST")] = "127.0.0.1"
    """On which of this machine's addresses; on others than loopback a token is asked for."""
    no_browser: bool = False
    """Do not open a browser."""


def run(options: Options) -> int:
    """Open the page, or play in the terminal."""
    return play_in_terminal(options) if options.terminal else open_page(options)


def open_page(options: Options) -> int:
    """Serve the page until the program is interrupted."""
    required("nicegui", "play", "the page")
    from lanista.arena.play.house import House
    from lanista.arena.play.keeping import Keeper
    from lanista.arena.play.roster import Roster
    from lanista.arena.play.server import address, serve
    from lanista.arena.play.tournament_data import check_store

    if options.db is not None:
        check_store(options.db)
    if options.against:
        load_agent(options.against)  # a wrong name is told now, not when somebody plays
    roster = Roster((options.against,) if options.against else (), (options.game,) if options.game else ())
    for name in roster.games_listed:
        roster.check_game(name)
    where = address(options.host, options.port)
    house = House(roster, Keeper(db=options.db), db=options.db, film=gif, settle=settled)
    print(f"the page is at {where.link}\nCtrl-C ends it", flush=True)
    try:
        serve(house, where, browser=not options.no_browser)
    finally:  # Ctrl-C ends the page, and no run that it began
        for name in house.runs.going_on():
            print(f"the run {house.runs.folder / name} goes on; the page, begun again here, shows and stops it")
    return 0


def settled(game: str, words: Sequence[str], changed: Mapping[str, Any]) -> dict[str, Any]:
    """All settings of a run that the page orders; see `arena.play.training_order.Settle`."""
    from lanista.cli import train  # imports torch, as does the next
    from lanista.training.settings import read_settings, settings_values

    line = train.changes(train.Options(game=game, set=(tuple(words),)))
    return settings_values(read_settings(game, None, {**changed, **line}))


def gif(frames: Sequence[tuple[str, str, str]]) -> bytes:
    """A film of a game; see `arena.play.sharing.Film`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "game.gif"
        drawn = (
            (captioned(rasterised(picture), names, said), number == len(frames))
            for number, (picture, names, said) in enumerate(frames, 1)
        )
        write_film(path, drawn, 1.5)
        return path.read_bytes()


def play_in_terminal(options: Options) -> int:
    """Play games until the person has had enough."""
    opponent = load_agent(options.against) if options.against else None
    name = options.game or str(getattr(opponent, "game", "connect_four"))
    game = make(name, restart=False)
    opponent = opponent or usual_opponent(game.spec)
    seat = ("first", "second").index(options.seat)
    if seat >= game.spec.players:
        raise UsageError(f"{game.spec.name} has one player: there is no second seat")
    print(f"{game.spec.name}: you are player {seat + 1} of {game.spec.players}", end="")
    print(f" against {agent_name(opponent)}" if game.spec.players > 1 else "")
    seed = options.seed if options.seed is not None else int(np.random.SeedSequence().generate_state(1)[0])
    while Table(game, seat, opponent, seed).play_game() and asked_again():
        seed += 1
    print("goodbye")
    return 0


def usual_opponent(spec: GameSpec) -> Agent:
    """Who plays where the person names nobody: the trained agent for this game, else a search, else `random`."""
    name = spec.name.partition(":")[0]
    for contestant in ([name] if name in shipped() else []) + ["minimax:depth=4"]:
        agent = load_agent(contestant)
        try:
            start_agent(agent, spec, 0)
        except UsageError:  # it is for another size of board, or hands are hidden
            continue
        return agent
    return load_agent("random")


def asked_again() -> bool:
    """Whether the person wants another game; the end of the input is a no."""
    try:
        return input("another game? [y/n] ").strip().lower() in ("y", "yes")
    except EOFError:
        print()
        return False


@dataclass(frozen=True)
class Done:
    """What was played in one round of the loop."""

    players: tuple[int, ...]
    actions: tuple[int, ...]
    rewards: tuple[float, ...]


class Table:
    """One game between a person and an agent, on the loop that plays every game."""

    def __init__(self, game: Game, seat: int, opponent: Agent, seed: int) -> None:
        """Set the table.

        Args:
            game: of one copy that does not restart.
            seat: the person's.
            opponent: sits at all others.
            seed: of the game.
        """
        self.game, self.seat, self.seed = game, seat, seed
        self.person = Person(game, seat)
        self.agents: list[Agent] = [self.person, Announced(opponent, game)]
        self.done: list[Done] = []

    def play_game(self) -> bool:
        """Play to the end; False if the person left before it."""
        while True:
            # After a takeback the game is begun anew with the moves that stay: an agent's memory is then right too.
            moves = [action for done in self.done for action in done.actions]
            self.game.reset([self.seed], np.zeros(1, np.int64), [moves])
            failures = self._play_on()
            if self.person.wish == "quit":
                return False
            if self.person.wish != "undo":
                break
            self._take_back()
        print(f"\n{self.game.text(0, self.seat)}")
        print(self._result(failures))
        return True

    def _play_on(self) -> tuple[Failure, ...]:
        """Play until the game ends or the person wishes something else; give who failed."""
        self.person.wish = ""
        seats = np.ones((1, self.game.spec.players), np.int64)
        seats[0, self.seat] = 0
        for ply in play_loop(self.game, self.agents, seats, seed=self.seed):
            if len(ply.rows):
                players = ply.turn.players[ply.rows]
                self.done.append(
                    Done(*(tuple(each.tolist()) for each in (players, ply.actions, ply.outcome.rewards[0])))
                )
            if ply.outcome.broken.any():
                raise RuntimeError(f"the environment of {self.game.spec.name} failed, so this game counts for nobody")
            if ply.failures or self.person.wish:
                return ply.failures
        return ()

    def _take_back(self) -> None:
        """Forget what was played since the person's last move, that move included."""
        last = max((at for at, done in enumerate(self.done) if self.seat in done.players), default=-1)
        if self.game.spec.kind == "simultaneous":
            print("  in a game of simultaneous moves nothing is taken back")
        elif last < 0:
            print("  there is no move of yours to take back")
        else:
            del self.done[last:]

    def _result(self, failures: Sequence[Failure]) -> str:
        if failures:
            return f"{agent_name(self.agents[failures[0].agent])} forfeits ({failures[0].reason}): you win"
        sums = np.sum([done.rewards for done in self.done], axis=0)  # (players,)
        others = np.delete(sums, self.seat)
        if not len(others):
            return f"the game is over: your score is {sums[self.seat]:g}"
        best = others.max()
        return "you win" if sums[self.seat] > best else "you lose" if sums[self.seat] < best else "a draw"


class Person:
    """Whoever sits at the terminal: an agent that answers with what is typed.

    Attributes:
        wish: "undo" or "quit" where the person wants that instead of a move; the turn then stays open.
    """

    name = "you"

    def __init__(self, game: Game, seat: int) -> None:
        self.game, self.seat = game, seat
        self.wish = ""

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        """Show the position and ask until there is a legal move or a wish."""
        print(f"\n{self.game.text(0, self.seat)}")
        while True:
            try:
                words = input("your move (? for help): ").strip()
            except EOFError:
                print()
                words = "quit"
            if words in ("quit", "undo"):
                self.wish = words
                space = self.game.spec.role(self.seat).action
                return Choice(np.zeros((1, *(space.shape or ())), np.int64), waiting=np.ones(1, bool))
            if words == "?":
                print(f"  moves: {self._moves(turn)}\n  undo takes your last move back, quit ends")
                continue
            if not words:
                continue
            try:
                action = self.game.parse_move(0, words)
            except UsageError as error:
                print(f"  {error}")
                continue
            if turn.legal is None or turn.legal[0, action]:
                return Choice(np.array([action]))
            print(f"  {words} is not legal now; moves: {self._moves(turn)}")

    def _moves(self, turn: Turn) -> str:
        if turn.legal is None:
            return "any"
        return " ".join(self.game.print_move(0, int(action)) for action in np.flatnonzero(turn.legal[0]))


class Announced:
    """An agent whose moves are told, with what it expects and what it thought of, as far as it says."""

    def __init__(self, agent: Agent, game: Game) -> None:
        self.agent, self.game = agent, game
        self.name = agent_name(agent)

    def start(self, spec: GameSpec, seed: int) -> None:
        """Pass on what is played."""
        start_agent(self.agent, spec, seed)

    def finish(self, games: Ints) -> None:
        """Pass on which games are over."""
        end = getattr(self.agent, "finish", None)
        if end is not None:
            end(games)

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        """The agent's answer, told before it is played: only now is the position there that it is a move of."""
        choice = self.agent.act(turn, memory)
        for row in range(len(turn)):
            action = choice.actions[row]
            if turn.legal is not None and np.ndim(action) == 0 and 0 <= action < turn.legal.shape[1]:
                print(f"\n{self.name} plays {self._told(choice, row)}")
        return choice

    def _told(self, choice: Choice, row: int) -> str:
        words = self.game.print_move(0, int(choice.actions[row]))
        if choice.value is not None:
            words += f"  (expects {round(float(choice.value[row]), 2) + 0.0:+.2f})"  # + 0.0: not -0.00
        if choice.policy is not None:
            likely = np.argsort(-choice.policy[row], kind="stable")[:MOST_MOVES_SHOWN]
            shown = [f"{self.game.print_move(0, int(a))} {choice.policy[row, a]:.0%}" for a in likely]
            words += f"  policy: {', '.join(shown)}"
        return words
