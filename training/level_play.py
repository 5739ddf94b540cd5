"""The levels of a runner's episodes: drawn as copies become free, scored as they end."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

import numpy as np
from torch import Tensor

from lanista.envs.core import Array, Floats, Ints, LevelGame, Outcome, Turn
from lanista.envs.draws import mixed
from lanista.errors import UsageError
from lanista.training.curriculum import Curriculum, LevelNews, Scores, open_curriculum
from lanista.training.settings import TrainSettings

# An episode that is not told yet.
EPISODE = np.dtype(
    [
        ("game", np.int64),  # the game's serial number
        ("level", np.int64),
        ("sum", np.float64),  # of |advantage| over the rows that were told
        ("rows", np.int64),
        ("over", np.bool_),
        ("void", np.bool_),  # the environment broke: it has no score
    ]
)


def level_play(settings: TrainSettings, seed: int) -> LevelPlay | None:
    """The levels of one runner of a run; None where the run is not on levels."""
    if not settings.levels:
        return None
    return LevelPlay(open_curriculum(settings.curriculum, settings.levels), settings.copies, seed)


class LevelPlay:
    """Draws the levels that a runner's copies play, and gathers their scores."""

    def __init__(self, curriculum: Curriculum, copies: int, seed: int) -> None:
        """No episode has begun.

        Args:
            curriculum: this runner's own copy; `follow` brings it up to date.
            copies: of the game.
            seed: of what is drawn; every runner has its own.
        """
        self.curriculum = curriculum
        self._seed = seed % 2**63
        self._level: Ints = np.zeros(copies, np.int64)  # (copies,) being played
        self._number: Ints = np.zeros(copies, np.int64)  # (copies,) of the episode, counted over the whole run
        self._begun = 0  # episodes
        self._started = False
        self._again = False  # the first episodes are those of a checkpoint
        self._episodes: Array = np.zeros(0, EPISODE)  # by rising game
        self._drawn: list[Ints] = []
        self._random = np.random.default_rng([self._seed, 0])

    def follow(self, state: Mapping[str, Tensor]) -> None:
        """Take over the state of the run's curriculum: the next draws depend on it and this runner's seed alone."""
        self.curriculum.restore(state)
        self._random = np.random.default_rng([self._seed, self.curriculum.episodes])

    def start(self, game: LevelGame) -> None:
        """Begin the first episodes, if they have not begun: those that a checkpoint had under way, or new ones."""
        if self._started:
            return
        self._started = True
        every = np.arange(game.copies)
        if self._again:
            self._begin(game, every)
        else:
            self.begin(game, every)

    def begin(self, game: LevelGame, copies: Ints) -> None:
        """Draw levels for these copies, and begin them there."""
        self._level[copies] = levels = self.curriculum.draw(len(copies), self._random)
        self._number[copies] = self._begun + np.arange(len(copies))
        self._begun += len(copies)
        self._drawn.append(levels)
        self._begin(game, copies)

    def _begin(self, game: LevelGame, copies: Ints) -> None:
        seeds = mixed(self._number[copies].astype(np.uint64), np.uint64(self._seed))
        game.begin_levels(self._level[copies], copies, seeds.tolist())
        turn = game.turn()
        serial = np.zeros(game.copies, np.int64)
        serial[turn.copies] = turn.games
        new = np.zeros(len(copies), EPISODE)
        new["game"], new["level"] = serial[copies], self._level[copies]
        self._episodes = np.concatenate([self._episodes, np.sort(new, order="game")])

    def ended(self, turn: Turn, outcome: Outcome) -> Ints:
        """Note which episodes ended with a step.

        Args:
            turn: what was answered.
            outcome: what followed.

        Returns:
            The copies that are free.
        """
        over = outcome.finished | outcome.broken
        rows = over[turn.copies]
        places = np.searchsorted(self._episodes["game"], turn.games[rows])
        self._episodes["over"][places] = True
        self._episodes["void"][places] = outcome.broken[turn.copies[rows]]
        return np.flatnonzero(over)

    def score(self, games: Ints, advantages: Floats) -> None:
        """Add rows whose advantages can be told now.

        Args:
            games: (rows,) the serial number of each row's game.
            advantages: (rows,).
        """
        places = np.searchsorted(self._episodes["game"], games)
        self._episodes["sum"] += np.bincount(places, np.abs(advantages), len(self._episodes))
        self._episodes["rows"] += np.bincount(places, minlength=len(self._episodes))

    def news(self) -> LevelNews:
        """What was drawn and what ended since the last call."""
        over = self._episodes["over"]
        done = self._episodes[over & ~self._episodes["void"]]
        self._episodes = self._episodes[~over]
        drawn, self._drawn = self._drawn, []
        scores: Scores = done["sum"] / np.maximum(done["rows"], 1)
        return LevelNews(np.concatenate([*drawn, np.zeros(0, np.int64)]), done["level"].copy(), scores)

    def save(self) -> bytes:
        """The episodes under way, to be begun again: they count as drawn already."""
        buffer = io.BytesIO()
        np.savez(buffer, level=self._level, number=self._number, begun=np.array(self._begun))
        return buffer.getvalue()

    def load(self, state: bytes) -> None:
        """Begin with the episodes that `save` has kept, each on its level from the start, and draw none for them.

        Raises:
            UsageError: it is damaged, or of another number of copies.
        """
        try:
            with np.load(io.BytesIO(state), allow_pickle=False) as arrays:
                self._level[...] = arrays["level"]
                self._number[...] = arrays["number"]
                self._begun = int(arrays["begun"])
        except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise UsageError(f"the saved levels of this run cannot be read: {error}") from None
        self._again = self._begun > 0
        self._started = False
        self._episodes = self._episodes[:0]
