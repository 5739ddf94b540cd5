"""One choice of many: what failed is filled, what not all tell is left out, who waits goes on waiting."""

from __future__ import annotations

import numpy as np

from lanista.envs.core import Choice
from lanista.envs.joined_choices import joined


def test_pieces_of_several_rows_of_which_some_failed_whole() -> None:
    memory = np.arange(6.0).reshape(3, 2)
    whole = Choice(np.ones((3, 2)), value=np.array([0.1, 0.2, 0.3], np.float32), memory=memory, failed={1: "no"})
    lost = Choice(np.zeros(2, np.int64), failed={0: "gone", 1: "gone too"})
    got = joined([lost, whole])
    assert got.failed == {0: "gone", 1: "gone too", 3: "no"}
    assert got.actions.shape == (5, 2) and (got.actions[2:] == 1).all()
    assert got.memory is not None and (got.memory[2:] == memory).all() and (got.memory[:2] == 0).all()
    assert got.value is not None and whole.value is not None and got.value.tolist()[2:] == whole.value.tolist()
    assert got.policy is None and got.waiting is None


def test_what_not_all_tell_is_left_out_and_actions_of_two_shapes_are_no_answer() -> None:
    one = Choice(np.zeros(1, np.int64), value=np.ones(1, np.float32), memory=np.zeros((1, 2)))
    assert joined([one, Choice(np.ones(1, np.int64))]).value is None
    assert joined([one, Choice(np.ones(1, np.int64), memory=np.zeros((1, 3)))]).memory is None
    assert joined([one, Choice(np.ones((1, 2), np.int64))]).failed == {0: "malformed answer", 1: "malformed answer"}
    waiting = joined([one, Choice(np.ones(1, np.int64), waiting=np.ones(1, bool))]).waiting
    assert waiting is not None and waiting.tolist() == [False, True]
    assert joined([Choice(np.zeros(1, np.int64), failed={0: "a"})] * 2).failed == {0: "a", 1: "a"}
