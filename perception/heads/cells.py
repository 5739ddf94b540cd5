"""The cells of a board that is seen: which of some boards it is, where it lies, and what lies on each of its cells.

The picture's places (of an encoder as `picture_grid`, a square of them) say where the board's corners are; each cell is
looked at between them, softly, so that the corners are learnt from what lies on the cells alone (spatial transformers,
Jaderberg et al. 2015). All cells of all boards are read alike, each beside the mean and the extreme of its board: which
of two sides is which is known only from both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  torch's own name for it
from torch import Tensor, nn

from lanista.errors import UsageError
from lanista.perception.head import Answer, Head, check_texts

NOWHERE = -100  # the content of a cell that the board has not
GREATEST = 26  # rows or columns
MOST_BOARDS = 20
NEAR = 0.4  # of a cell: how far it looks at first
FILLED = 0.86  # of the picture's side, by a board where nothing else is known
COARSE = 5  # places on each side, that tell of the corners
FARTHEST = 0.6  # of the picture's side, by which a corner can lie elsewhere
HIDDEN = 64
ROW_END = "/"


@dataclass(frozen=True)
class Seen:
    """What is seen of one picture.

    Attributes:
        board: (rows, columns).
        chance: the probability that it is this board.
        cells: (rows * columns, signs), the probability of each content of each cell, row by row from the top.
    """

    board: tuple[int, int]
    chance: float
    cells: np.ndarray


class Cells(Head):
    """Places of a picture (batch, side * side, dim), row by row -> a board, and the content of each of its cells."""

    sequence = True

    def __init__(self, dim: int, boards: Sequence[str], signs: str = ".xo", dropout: float = 0.0) -> None:
        """Make the layers.

        Args:
            dim: the size of the features.
            boards: rows x columns of each board that may be seen, as "6x7".
            signs: what may lie on a cell; texts are written with them, row by row, `/` between the rows.
            dropout: the share of features left out in training.
        """
        boards = check_texts("the boards of a head", boards, MOST_BOARDS)
        self_sizes = [_size(board) for board in boards]
        if not isinstance(signs, str) or not 2 <= len(set(signs)) == len(signs) <= 40 or ROW_END in signs:
            raise UsageError("the signs of a head must be 2 to 40 different characters without '/'")
        if type(dropout) not in (int, float) or not 0 <= dropout < 1:
            raise UsageError("'dropout' of a head must be a number in [0, 1)")
        super().__init__({"boards": list(boards), "signs": signs, "dropout": dropout})
        self.sizes, self.signs = self_sizes, signs
        self.most = max(rows * columns for rows, columns in self.sizes)
        self.dropout = nn.Dropout(dropout)
        self.coarse = nn.Linear(COARSE**2 * dim, HIDDEN)
        self.board = nn.Linear(HIDDEN, len(boards))
        self.corners = nn.Linear(HIDDEN, 8 * len(boards))
        nn.init.zeros_(self.corners.weight)
        nn.init.zeros_(self.corners.bias)
        self.reach = nn.Parameter(torch.full((len(boards),), math.log(NEAR)))
        self.beside = nn.Linear(2 * dim, 2 * HIDDEN)
        self.local = nn.Linear(dim, 2 * HIDDEN, bias=False)
        self.content = nn.Linear(2 * HIDDEN, len(signs))

    def numbers(self, targets: Sequence[str]) -> np.ndarray:
        """Texts -> (n, 1 + most cells) int64: the board, the cells' contents, and -100 where there are no more.

        Raises:
            UsageError: a text is no position of one of the boards.
        """
        rows = np.full((len(targets), 1 + self.most), NOWHERE, np.int64)
        for row, text in zip(rows, targets, strict=True):
            lines = text.split(ROW_END)
            size = (len(lines), len(lines[0]))
            plain = "".join(lines)
            if size not in self.sizes or len(plain) != size[0] * size[1] or not set(plain) <= set(self.signs):
                raise UsageError(f"'{text[:80]}' is no position of {', '.join(self.options['boards'])}")
            row[0] = self.sizes.index(size)
            row[1 : 1 + len(plain)] = [self.signs.index(sign) for sign in plain]
        return rows

    def forward(self, encoded: tuple[Tensor, Tensor]) -> tuple[Tensor, list[Tensor]]:
        """((batch, side * side, dim), lengths) -> (batch, boards), and for each (batch, its cells, signs): logits."""
        places = encoded[0]
        side = math.isqrt(places.shape[1])
        if side * side != places.shape[1]:
            raise UsageError(f"the head 'cells' needs a square of places, not {places.shape[1]}")
        grid = places.transpose(1, 2).reshape(len(places), -1, side, side)
        whole = F.relu(self.coarse(F.adaptive_avg_pool2d(grid, COARSE).flatten(1)))
        moved = FARTHEST * torch.tanh(self.corners(whole).float()).reshape(len(places), len(self.sizes), 4, 2)
        cells = [self._contents(places, side, moved[:, board], board) for board in range(len(self.sizes))]
        return self.board(self.dropout(whole)).float(), cells

    def _contents(self, places: Tensor, side: int, moved: Tensor, board: int) -> Tensor:
        """Look at each cell of a board whose corners lie elsewhere by (batch, 4, 2): (batch, cells, signs), logits."""
        rows, columns = self.sizes[board]
        usual = FILLED / 2 * torch.tensor([[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]]) + 0.5
        corners = usual.to(moved) + moved  # top left, top right, bottom left, bottom right; (x, y) in [0, 1]
        down = ((torch.arange(rows, device=moved.device) + 0.5) / rows).repeat_interleave(columns)
        right = ((torch.arange(columns, device=moved.device) + 0.5) / columns).repeat(rows)
        shares = torch.stack([(1 - down) * (1 - right), (1 - down) * right, down * (1 - right), down * right], 1)
        middles = torch.einsum("ck,bkx->bcx", shares, corners)
        at = (torch.arange(side, device=moved.device) + 0.5) / side
        # How far each place is from each cell, in cells: the sum over both directions of a square of a difference.
        reach = self.reach[board].exp()
        across = ((at - middles[..., :1]) * columns / reach).square()  # (batch, cells, side)
        along = ((at - middles[..., 1:]) * rows / reach).square()
        looked_x, looked_y = (-0.5 * across).softmax(-1), (-0.5 * along).softmax(-1)
        looked = torch.einsum("bcy,bcx->bcyx", looked_y, looked_x).flatten(2).to(places.dtype)
        seen = torch.bmm(looked, places)
        context = self.beside(torch.cat([seen.mean(1), seen.amax(1)], -1))
        logits: Tensor = self.content(self.dropout(F.relu(self.local(seen) + context[:, None]))).float()
        return logits

    def loss(self, encoded: tuple[Tensor, Tensor], targets: Tensor) -> Tensor:
        """Cross-entropy of the board, and of the cells on average over the cells of the true board."""
        boards, cells = self(encoded)
        loss = F.cross_entropy(boards, targets[:, 0])
        for number, logits in enumerate(cells):
            true = targets[:, 1 : 1 + logits.shape[1]].masked_fill(targets[:, :1] != number, NOWHERE)
            costs = F.cross_entropy(logits.flatten(0, 1), true.flatten(), ignore_index=NOWHERE, reduction="sum")
            loss = loss + costs / (logits.shape[1] * len(targets))
        return loss

    def seen(self, encoded: tuple[Tensor, Tensor]) -> list[Seen]:
        """What is seen of each picture: the likeliest board with the probabilities of its cells' contents."""
        boards, cells = self(encoded)
        chances, best = boards.softmax(-1).max(-1)
        return [
            Seen(self.sizes[board], chance, cells[board][row].detach().softmax(-1).cpu().numpy())
            for row, (chance, board) in enumerate(zip(chances.tolist(), best.tolist(), strict=True))
        ]

    def answers(self, encoded: tuple[Tensor, Tensor], most: int = 1) -> list[list[Answer]]:
        """The likeliest position; then those that differ from it in one cell, the likeliest first."""
        return [self._positions(seen, most) for seen in self.seen(encoded)]

    def _positions(self, seen: Seen, most: int) -> list[Answer]:
        best = seen.cells.argmax(1)
        chance = seen.chance * float(np.prod(seen.cells.max(1).astype(np.float64)))
        found = [(chance, best)]
        for cell in np.argsort(seen.cells.max(1))[: most - 1].tolist():
            order = np.argsort(-seen.cells[cell])
            other = best.copy()
            other[cell] = order[1]
            found.append((chance * float(seen.cells[cell, order[1]] / seen.cells[cell, order[0]]), other))
        found.sort(key=lambda pair: -pair[0])
        return [Answer(self._text(seen.board, contents), min(1.0, value)) for value, contents in found[:most]]

    def _text(self, board: tuple[int, int], contents: Any) -> str:
        plain = "".join(self.signs[content] for content in contents)
        return ROW_END.join(plain[row * board[1] : (row + 1) * board[1]] for row in range(board[0]))


def _size(board: str) -> tuple[int, int]:
    """(rows, columns) of a board such as "6x7"."""
    rows, _, columns = board.partition("x")
    if not rows.isdecimal() or not columns.isdecimal() or not all(1 <= int(n) <= GREATEST for n in (rows, columns)):
        raise UsageError(f"a board of a head is written as rows x columns, as '6x7', not '{board[:20]}'")
    return int(rows), int(columns)
