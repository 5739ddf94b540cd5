"""The head that translates: texts to numbers and back, the beam search against every text, damaged descriptions."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from lanista.errors import UsageError
from lanista.perception.head import head_from
from lanista.perception.heads.translation import BEGIN, END, SPECIAL, Translation
from lanista.perception.inputs.text import learn_tokenizer
from lanista.perception.tasks.translation import chrf_and_bleu

TEXTS = ["Où est le château ?", "Le dragon dort.", "Le roi dort au château."] * 4
DIM = 6


@pytest.fixture(scope="module")
def head() -> Translation:
    torch.manual_seed(0)
    words = learn_tokenizer(TEXTS, 300, lower=False, special=SPECIAL)
    return Translation(DIM, words, length=24, width=8, hidden=10).eval()


@pytest.fixture(scope="module")
def encoded() -> tuple[Tensor, Tensor]:
    lengths = torch.tensor([5, 2, 4])
    states = torch.randn(3, 5, DIM, generator=torch.Generator().manual_seed(1))
    return states * (torch.arange(5) < lengths[:, None])[:, :, None], lengths


def test_texts_survive_their_numbers(head: Translation) -> None:
    rows = head.numbers(TEXTS[:3])
    assert (rows == END).sum(1).tolist() == [1, 1, 1]
    assert [text.strip() for text in head.words.decode_batch(rows.tolist())] == TEXTS[:3]


def test_longer_source_rows_change_nothing(head: Translation, encoded: tuple[Tensor, Tensor]) -> None:
    states, lengths = encoded
    longer = (torch.nn.functional.pad(states, (0, 0, 0, 3)), lengths)
    targets = torch.from_numpy(head.numbers(TEXTS[:3]))
    torch.testing.assert_close(head.loss(longer, targets), head.loss(encoded, targets))
    one = head.answers((states[1:2], lengths[1:2]))[0][0]
    assert one.text == head.answers(encoded)[1][0].text


def test_step_by_step_is_the_same_as_at_once(head: Translation, encoded: tuple[Tensor, Tensor]) -> None:
    before = torch.tensor([[BEGIN, 7, 9], [BEGIN, 8, 8], [BEGIN, 5, 6]])
    whole, _ = head(encoded, before, head.begin(encoded))
    memory, steps = head.begin(encoded), []
    for place in range(3):
        said, memory = head(encoded, before[:, place : place + 1], memory)
        steps.append(said)
    torch.testing.assert_close(torch.cat(steps, 1), whole)


def test_the_beam_search_finds_the_likeliest_of_all_texts(encoded: tuple[Tensor, Tensor]) -> None:
    torch.manual_seed(3)
    words = learn_tokenizer(TEXTS, 300, lower=False, special=SPECIAL)
    head = Translation(DIM, words, length=2, width=8, hidden=10).eval()
    some = [END, 40, 50, 60]  # the others are made impossible
    with torch.inference_mode():
        head.bias.fill_(-50.0)
        head.bias[some] = 0.0
        written, scores = head._search(encoded, 4)
        for row in range(3):
            one = (encoded[0][row : row + 1], encoded[1][row : row + 1])
            chances = {}
            for tokens in [(END,), *itertools.product(some[1:], some)]:
                before = torch.tensor([[BEGIN, *tokens[:-1]]])
                logits = head.logits(head(one, before, head.begin(one))[0])[0]
                steps = logits.log_softmax(-1)[torch.arange(len(tokens)), torch.tensor(tokens)]
                chances[tokens] = float(steps.mean())
            best = max(chances, key=lambda tokens: chances[tokens])
            assert tuple(written[row, 0, 1 : 1 + len(best)].tolist()) == best
            assert float(scores[row, 0]) == pytest.approx(chances[best], abs=1e-4)


def test_answers_are_ranked_and_are_chances(head: Translation, encoded: tuple[Tensor, Tensor]) -> None:
    with torch.inference_mode():
        answers = head.answers(encoded, 3)
    for row in answers:
        chances = [answer.probability for answer in row]
        assert len(row) == 3
        assert chances == sorted(chances, reverse=True)
        assert all(0 <= chance <= 1 for chance in chances)


def test_it_learns_some_texts_by_heart(encoded: tuple[Tensor, Tensor]) -> None:
    torch.manual_seed(0)
    words = learn_tokenizer(TEXTS, 300, lower=False, special=SPECIAL)
    head = Translation(DIM, words, length=24, width=16, hidden=24, dropout=0.0, smoothing=0.0)
    targets = torch.from_numpy(head.numbers(TEXTS[:3]))
    optimizer = torch.optim.Adam(head.parameters(), 0.02)
    for _ in range(120):
        optimizer.zero_grad()
        loss = head.loss(encoded, targets)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    with torch.inference_mode():
        assert [row[0].text for row in head.eval().answers(encoded)] == TEXTS[:3]


@pytest.mark.parametrize(
    "change", [{"tokenizer": "{}"}, {"tokenizer": 3}, {"length": 10**6}, {"hidden": 0}, {"width": 1.5}, {"dropout": 2}]
)
def test_damaged_descriptions_are_refused(head: Translation, change: dict[str, object]) -> None:
    about = head.describe() | {"head": "translation"}
    assert isinstance(head_from(about, DIM), Translation)
    with pytest.raises(UsageError):
        head_from({**about, **change}, DIM)


def test_a_tokeniser_without_begin_and_end_is_refused() -> None:
    with pytest.raises(UsageError, match="BOS"):
        Translation(DIM, learn_tokenizer(TEXTS, 300))


def test_measures_are_in_their_range() -> None:
    assert chrf_and_bleu(TEXTS, TEXTS) == {"chrf": pytest.approx(100), "bleu": pytest.approx(100)}
    assert max(chrf_and_bleu(["zzz"] * 12, TEXTS).values()) < 5
