"""The head that writes texts: its numbers, its probabilities against every path counted, its beam."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from lanista.errors import UsageError
from lanista.perception.head import head_from
from lanista.perception.heads.transcript import Transcript

ALPHABET = "ab"


def texts_of(steps: torch.Tensor) -> dict[str, float]:
    """Text -> its probability, summed over all paths, by the definition: steps (time, 1 + characters), logarithms."""
    found: dict[str, float] = {}
    for path in itertools.product(range(steps.shape[1]), repeat=len(steps)):
        chance = math.exp(sum(float(steps[time, number]) for time, number in enumerate(path)))
        text = "".join(ALPHABET[number - 1] for number, _ in itertools.groupby(path) if number)
        found[text] = found.get(text, 0.0) + chance
    return found


@pytest.fixture
def head() -> Transcript:
    torch.manual_seed(0)
    made = head_from({"head": "transcript", "alphabet": ALPHABET}, 4)
    assert isinstance(made, Transcript)
    return made.eval()


def test_texts_become_numbers(head: Transcript) -> None:
    np.testing.assert_array_equal(head.numbers(["ab", "b", ""]), [[1, 2], [2, 0], [0, 0]])
    with pytest.raises(UsageError, match="'c', which is not in 'ab'"):
        head.numbers(["abc"])


def test_probabilities_are_those_of_all_paths(head: Transcript) -> None:
    encoded, lengths = torch.randn(8, 5, 4) * 2, torch.tensor([5, 5, 5, 5, 4, 4, 3, 1])
    steps = head((encoded, lengths)).detach()
    greedy, beam = head.answers((encoded, lengths)), head.answers((encoded, lengths), most=4)
    for row, length in enumerate(lengths.tolist()):
        every = texts_of(steps[row, :length])
        assert math.isclose(every[greedy[row][0].text], greedy[row][0].probability, rel_tol=1e-4)
        best = sorted(every.items(), key=lambda item: -item[1])[:4]
        assert [answer.text for answer in beam[row][: len(best)]] == [text for text, _ in best]
        for answer in beam[row]:
            assert math.isclose(every[answer.text], answer.probability, rel_tol=1e-4)


def test_loss_is_minus_log_probability_a_character(head: Transcript) -> None:
    encoded, lengths = torch.randn(2, 5, 4), torch.tensor([5, 4])
    steps = head((encoded, lengths)).detach()
    wanted = [-math.log(texts_of(steps[0])["aab"]) / 3, -math.log(texts_of(steps[1, :4])["b"])]
    loss = head.loss((encoded, lengths), torch.from_numpy(head.numbers(["aab", "b"])))
    assert math.isclose(float(loss.detach()), sum(wanted) / 2, rel_tol=1e-4)


def test_it_learns_to_write() -> None:
    torch.manual_seed(0)
    head = Transcript(8, alphabet="abc")
    encoded = torch.randn(16, 8, 8, requires_grad=True)
    texts = ["".join("abc"[(row + place) % 3] for place in range(1 + row % 4)) for row in range(16)]
    lengths, targets = torch.full((16,), 8), torch.from_numpy(head.numbers(texts))
    optimizer = torch.optim.Adam([encoded, *head.parameters()], 0.1)
    for _ in range(60):
        optimizer.zero_grad()
        head.loss((encoded, lengths), targets).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert [row[0].text for row in head.eval().answers((encoded.detach(), lengths))] == texts


def test_a_text_too_long_for_its_time_is_left_out_of_the_loss(head: Transcript) -> None:
    encoded = torch.randn(1, 2, 4, requires_grad=True)
    loss = head.loss((encoded, torch.tensor([2])), torch.from_numpy(head.numbers(["aaaa"])))
    loss.backward()  # type: ignore[no-untyped-call]
    assert float(loss.detach()) == 0 and encoded.grad is not None and bool(torch.isfinite(encoded.grad).all())


@pytest.mark.parametrize(
    "options", [{"alphabet": ""}, {"alphabet": "aa"}, {"alphabet": 3}, {"alphabet": "a", "dropout": 2}]
)
def test_bad_descriptions_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        head_from({"head": "transcript", **options}, 4)
