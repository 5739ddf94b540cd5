"""A game that is played in real time: people's pads and agents at its seats, a frame at a time. It knows no clock.

Agents decide in the game that they were trained on, with its own frame skip and pictures. Of an Atari game with an
agent there are therefore two copies, which go the same way from the same seed: the agent's, and one whose every step is
a frame of the screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces

from lanista.agents.contestant import load_agent
from lanista.arena.play.arcade.pads import Pad, frame_skip, pad_of, same_game, screen_of
from lanista.envs.catalogue import make
from lanista.envs.core import Agent, Array, Choice, Ints, Turn, agent_name, start_agent
from lanista.envs.instructed import InstructedGame, Instruction, Sound, View
from lanista.errors import UsageError

FIRST_CALLS = 6  # a network is brought into a quicker form after some calls


@dataclass(frozen=True)
class Decision:
    """What an agent saw and played last.

    Attributes:
        agent: who.
        turn: of one row.
        action: of its Discrete actions.
        memory: (1, size) what it remembered before; None if it has no memory, or nothing in it.
        choice: all of its answer.
        view: where in the level lies what it sees, where that is known.
    """

    agent: Agent
    turn: Turn
    action: int
    memory: Array | None
    choice: Choice
    view: View | None = None


class Machine:
    """See the module.

    Attributes:
        agents: at each player's seat; None for a person.
        pads: of each player who is a person.
        waits: the game stands still until a person presses something.
        pace: frames a second.
        frames: that were played in this game.
        score: what each player has got in this game.
        lives: that are left; -1 where nobody counts them.
        sounds: it can be heard.
        over: how the game ended, in words; "" while it goes on.
        told: what the player is told to do, in games where it is told that.
        decision: an agent's last one, if its actions are Discrete.
    """

    def __init__(self, game: str, seats: Sequence[str], seed: int) -> None:
        """Make the game and load the agents; `begin` begins.

        Args:
            game: its string.
            seats: who plays, for each player: a contestant's string, or "" for a person.
            seed: of the agents' chance.

        Raises:
            UsageError: no such game or agent, an agent of another game, a person where actions are not counted, or a
                game that draws no pictures.
        """
        loaded = {name: load_agent(name) for name in dict.fromkeys(seats) if name}
        self.agents = [loaded.get(name) for name in seats]
        for agent in loaded.values():
            own = str(getattr(agent, "game", ""))
            if own and same_game(own, game):
                game = own  # the same game with the options that it was trained with
        self._skip = frame_skip(game) if loaded else 1
        self.screen: Any = screen_of(game, bool(loaded))
        self._thought: Any = make(game, restart=False) if self.screen.spec.name != game else self.screen
        spec = self.screen.spec
        if len(seats) != spec.players:
            raise UsageError(f"{game} has {spec.players} players, not {len(seats)}")
        self.pads: list[Pad | None] = [None] * spec.players
        for player, name in enumerate(seats):
            if not name and not isinstance(spec.role(player).action, spaces.Discrete):
                raise UsageError(f"{game} has actions that are not counted, for which there are no keys")
            self.pads[player] = None if name else pad_of(game, spec, player)
        for agent in loaded.values():
            self._warm_up(agent, seed)
        pads = [pad for pad in self.pads if pad is not None]
        self.waits = any(pad.waits for pad in pads)
        self.pace = max(pad.pace for pad in pads) if pads else self._pace_watched(game)
        self._memories: list[Array | None] = [None] * spec.players
        self._last = [0] * spec.players
        self._held: dict[int, Any] = {}
        self._left = 0
        self._has_lives = False
        self._picture: Array | None = None
        self.sounds = False
        self.score, self.lives, self.over, self.frames = [0.0] * spec.players, -1, "", 0
        self.decision: Decision | None = None
        self.told: Instruction | None = None
        shown: object = self.screen
        self._instructed = shown if spec.instructed and isinstance(shown, InstructedGame) else None
        self._wanted: tuple[str, Sound | None] | None = None  # what is told instead of the game's own missions
        self._ahead: tuple[Turn, Choice] | None = None  # what was thought of before it is played

    def begin(self, seed: int) -> None:
        """Begin a new game; what was told instead of its own mission is told in it too.

        Raises:
            UsageError: this game draws no pictures here.
        """
        for game in {id(each): each for each in (self.screen, self._thought)}.values():
            first: Ints = np.zeros(1, np.int64)
            game.reset([seed], first)
        self._memories = [None] * len(self.agents)
        self._last = [0 if pad is None or pad.idle is None else pad.idle for pad in self.pads]
        self._held, self._left, self._picture, self.decision = {}, 0, None, None
        self.score, self.over, self.frames = [0.0] * len(self.agents), "", 0
        self._ahead = None
        if self._instructed is not None:
            self.told = self._instructed.instruction(0)
            if self._wanted is not None:
                self.told = self._instructed.instruct(0, *self._wanted)
        self._look()
        self.sounds = self.sound() is not None
        if self._picture is None:
            raise UsageError(f"{self.screen.spec.name} draws no pictures here")

    def instruct(self, words: str | None, sound: Sound | None = None) -> None:
        """Tell the player something else from now on, in later games too; a game that is over goes on with it.

        Args:
            words, sound: see `envs.instructed.InstructedGame`; None: the games' own missions again.

        Raises:
            UsageError: it cannot be told; all is as it was.
        """
        if self._instructed is None:
            raise UsageError(f"nothing can be told in {self.screen.spec.name}")
        over = bool(self.over)
        self.told = self._instructed.instruct(0, words, sound)
        self._wanted = None if words is None else (words, sound)
        self._ahead = None
        self.score, self.frames, self.over = [0.0] * len(self.agents), 0, ""
        if over:
            self._memories = [None] * len(self.agents)
        self._look()

    def think(self) -> Decision | None:
        """Have the agent of a game that one plays alone decide now on what `frame` will play, so that it can be shown.

        Raises:
            UsageError: it could not answer.
        """
        turn, agent = self.screen.turn(), self.agents[0]
        if agent is None or len(self.agents) > 1 or self._thought is not self.screen or not len(turn):
            return None
        if self._ahead is None or self._ahead[0] is not turn:
            choice = self._asked(agent, turn, 0)
            self._ahead = turn, choice
            self._note(agent, turn, choice, 0)
        return self.decision

    def frame(self, masks: Sequence[int]) -> None:
        """Play one frame.

        Args:
            masks: what is pressed on each player's pad.

        Raises:
            UsageError: an agent could not answer, or the game broke; it is over.
        """
        turn = self.screen.turn()
        if not len(turn):
            return
        try:
            actions = [self._answer(turn, row, masks) for row in range(len(turn))]
            outcome = self.screen.step(np.array(actions))
        except (UsageError, ValueError) as error:
            self.over = "the game cannot go on"
            raise UsageError(f"{self.over}: {error}") from None
        self.frames += 1
        self.score = [have + float(more) for have, more in zip(self.score, outcome.rewards[0], strict=True)]
        if outcome.broken[0]:
            self.over = "the game broke"
        elif outcome.finished[0]:
            self.over = "the time is up" if outcome.truncated[0].any() else "the game is over"
        if self._thought is not self.screen:
            self._follow()
        self._look()

    def picture(self) -> Array:
        """The screen, (height, width, 3) uint8."""
        assert self._picture is not None, "it has begun"
        return self._picture

    def sound(self) -> Array | None:
        """What is heard in this frame, (512,) uint8, of which 128 is silence; None: this game has no sound here."""
        heard: Array | None = getattr(self.screen, "heard", lambda copy: None)(0)
        return heard

    def close(self) -> None:
        """Let go of the games."""
        for game in {id(each): each for each in (self.screen, self._thought)}.values():
            game.close()

    def _warm_up(self, agent: Agent, seed: int) -> None:
        """Start an agent, and ask it some times before anybody waits: its first answers take longest."""
        first: Ints = np.zeros(1, np.int64)
        self._thought.reset([seed], first)
        start_agent(agent, self._thought.spec, seed)
        turn = self._thought.turn()
        for _ in range(FIRST_CALLS if len(turn) == 1 else 0):
            agent.act(turn, None)
        start_agent(agent, self._thought.spec, seed)

    def _look(self) -> None:
        """What is on the screen now; at the end, what was there last."""
        pixels = self.screen.pixels(0)
        if pixels is not None:
            self._picture = pixels
        lives = getattr(self.screen, "lives", lambda copy: None)(0)
        if self.frames == 0:
            self._has_lives = bool(lives)  # the console says 0 where a game knows none
        self.lives = lives if self._has_lives and lives is not None else -1

    def _answer(self, turn: Turn, row: int, masks: Sequence[int]) -> Any:
        """What the player of a row does in this frame."""
        player = int(turn.players[row])
        pad, agent = self.pads[player], self.agents[player]
        if pad is not None:
            self._last[player] = pad.action(masks[player], self._last[player])
            if turn.legal is not None and not turn.legal[row, self._last[player]]:
                self._last[player] = int(np.flatnonzero(turn.legal[row])[0])
            return self._last[player]
        assert agent is not None
        if self._ahead is not None and self._ahead[0] is turn:
            return self._played(self._ahead[1], player)
        if self._thought is self.screen:
            return self._decide(agent, turn.take(np.array([row])), player)
        if not self._left:
            self._held[player] = self._decide(agent, self._thought.turn(), player)
            self._left = self._skip
        return self._held[player]

    def _decide(self, agent: Agent, turn: Turn, player: int) -> Any:
        """Ask an agent of a turn of one row, which is played now."""
        choice = self._asked(agent, turn, player)
        self._note(agent, turn, choice, player)
        return self._played(choice, player)

    def _asked(self, agent: Agent, turn: Turn, player: int) -> Choice:
        choice = agent.act(turn, self._memories[player])
        if choice.failed or (choice.waiting is not None and choice.waiting.any()):
            raise UsageError(f"{agent_name(agent)} {next(iter(choice.failed.values()), 'did not answer')}")
        return choice

    def _note(self, agent: Agent, turn: Turn, choice: Choice, player: int) -> None:
        """What an agent thinks of, for whoever explains it."""
        if np.ndim(choice.actions[0]) == 0:
            view = None if self._instructed is None else self._instructed.view(0)
            self.decision = Decision(agent, turn, int(choice.actions[0]), self._memories[player], choice, view)

    def _played(self, choice: Choice, player: int) -> Any:
        if choice.memory is not None:
            self._memories[player] = choice.memory
        return choice.actions[0]

    def _follow(self) -> None:
        """Let the agent's own copy of the game go on when its action has lasted as long as it should."""
        self._left -= 1
        if self._left <= 0 or self.over:
            self._left = 0
            if len(self._thought.turn()):
                self._thought.step(np.array([self._held[0]]))

    def _pace_watched(self, game: str) -> float:
        """Frames a second where no person plays: of games that wait for one, few."""
        spec = self.screen.spec
        if not isinstance(spec.role(0).action, spaces.Discrete):
            return 60.0 if game.startswith("atari:") else 30.0
        pad = pad_of(game, spec)
        return 4.0 if pad.waits else pad.pace
