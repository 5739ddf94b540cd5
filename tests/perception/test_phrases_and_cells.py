"""Two heads: phrases of words along time, against all ways to lay them; cells of boards."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from lanista.errors import UsageError
from lanista.perception.data._board_drawing import play
from lanista.perception.data.spoken_moves import WORDS, draw_phrase
from lanista.perception.encoder import build_encoder, lengthened
from lanista.perception.encoders.speech_crnn import SpeechCrnn
from lanista.perception.head import head_from
from lanista.perception.heads.cells import Cells
from lanista.perception.heads.phrase import Phrase
from lanista.perception.inputs.sound import SoundInput
from lanista.perception.pretrained import load_encoder
from lanista.perception.recogniser import Recogniser
from lanista.perception.tasks._board_clusters import read_board
from lanista.perception.tasks.boards import reading_scores

THREE = ("one", "two", "three")


def test_costs_are_those_of_all_ways_to_lay_the_words() -> None:
    torch.manual_seed(0)
    head = Phrase(4, THREE).eval()
    encoded = torch.randn(1, 4, 4), torch.tensor([4])
    steps = head(encoded)[0].exp().detach().double()
    chances: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(4), repeat=4):
        kept = tuple(n for at, n in enumerate(path) if n and (at == 0 or path[at - 1] != n))
        product = math.prod(float(steps[at, n]) for at, n in enumerate(path))
        chances[kept] = chances.get(kept, 0.0) + product
    phrases = ["two", "one two", "two two", "one two three", "two two two", "one one one two"]
    told = head.costs_of(encoded, phrases).detach()
    places = {word: number for number, word in enumerate(THREE, 1)}
    for phrase, cost in zip(phrases, told.tolist(), strict=True):
        chance = chances.get(tuple(places[word] for word in phrase.split()), 0.0)
        assert cost == (pytest.approx(-math.log(chance), abs=1e-4) if chance else math.inf), phrase
    assert sum(chances.values()) == pytest.approx(1)


def test_heard_words_are_the_best_path_with_their_probabilities() -> None:
    head = Phrase(4, THREE).eval()
    with torch.no_grad():
        head.linear.weight.copy_(torch.eye(4) * 9)
        head.linear.bias.zero_()
    path = torch.eye(4)[torch.tensor([0, 1, 1, 0, 1, 3])][None]
    path[0, 2] *= 0.5
    told = head.heard((path, torch.tensor([6])))
    assert [answer.text for answer in told] == ["one", "one", "three"]
    sure = math.exp(9) / (math.exp(9) + 3)
    assert [answer.probability for answer in told] == pytest.approx([sure] * 3, abs=1e-5)
    assert head.answers((path, torch.tensor([6])))[0][0].text == "one one three"


@pytest.mark.parametrize(
    "about",
    [
        {"head": "phrase", "words": ["a", "a"]},
        {"head": "phrase", "words": ["new game"]},
        {"head": "phrase", "words": []},
        {"head": "cells", "boards": ["6x"]},
        {"head": "cells", "boards": ["99x9"]},
        {"head": "cells", "boards": ["3x3"], "signs": "a/"},
        {"head": "cells", "boards": ["3x3"], "dropout": 1.5},
    ],
)
def test_wrong_heads_are_refused(about: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        head_from(about, 8)


def test_an_unknown_word_is_named() -> None:
    with pytest.raises(UsageError, match="'four' is not among the 3 words"):
        Phrase(4, THREE).numbers(["one four"])


def test_the_whole_is_taught_to_hold_the_words_of_a_phrase() -> None:
    torch.manual_seed(0)
    encoder = build_encoder("speech_crnn:step=40,hidden=16", SoundInput(8000, 4000).space)
    assert isinstance(encoder, SpeechCrnn)
    head = Phrase(encoder.dim, THREE, sums_up=True)
    both = Recogniser(encoder, head)
    phrases = ["one", "two one", "three", "one three two"]
    sounds, targets = torch.randn(4, 4000), torch.from_numpy(head.numbers(phrases))
    steps, _ = encoder.sequence(sounds)
    assert torch.equal(encoder.attended(steps), encoder.features(sounds))
    said = torch.tensor([[word in phrase.split() for word in THREE] for phrase in phrases]).float()
    rows = torch.randn(4, encoder.dim)
    assert head.whole is not None
    told = head.whole(rows).sigmoid()
    chances = torch.where(said == 1, told, 1 - told)
    lengths = torch.tensor([1, 2, 1, 3])
    assert head.whole_loss(rows, targets).item() == pytest.approx(
        (-chances.log().sum(1) / lengths).mean().item(), abs=1e-5
    )
    both.loss(sounds, targets).backward()  # type: ignore[no-untyped-call]
    assert encoder.attention.weight.grad is not None and encoder.attention.weight.grad.abs().max() > 0
    plain = Recogniser(encoder, Phrase(encoder.dim, THREE))
    encoder.zero_grad()
    plain.loss(sounds, targets).backward()  # type: ignore[no-untyped-call]
    assert encoder.attention.weight.grad is None, "words along time alone teach no attention"
    assert plain.head.describe() == {"head": "phrase", "words": list(THREE), "dropout": 0.0}


def test_an_encoder_that_sums_up_otherwise_says_so() -> None:
    with pytest.raises(UsageError, match="'mlp' does not sum up"):
        build_encoder("mlp", SoundInput(8000, 4000).space).attended(torch.zeros(1, 3, 64))


def test_phrases_are_drawn_of_known_words() -> None:
    chance = np.random.default_rng(0)
    drawn = [draw_phrase(chance) for _ in range(3000)]
    assert {word for phrase in drawn for word in phrase.split()} == set(WORDS)
    assert max(len(phrase.split()) for phrase in drawn) <= 6 and "column four" in drawn


def test_the_encoder_of_words_goes_on_to_phrases() -> None:
    first = load_encoder("spoken_words")
    longer = lengthened(first, SoundInput(8000, 16_000))
    sound = torch.randint(-9000, 9000, (1, 16_000), dtype=torch.int16)
    assert longer.shape == (16_000,) and longer.input == SoundInput(8000, 16_000)
    assert torch.equal(longer.features(sound), first.features(sound))
    with pytest.raises(UsageError, match="reads arrays"):
        lengthened(load_encoder("clothes"), SoundInput(8000, 16_000))


def test_cells_are_numbers_and_texts_again() -> None:
    torch.manual_seed(0)
    head = Cells(8, ["6x7", "3x3"]).eval()
    texts = ["x.o/.../..x", "......./......./......./......./..o..../.xxo..."]
    numbers = head.numbers(texts)
    assert numbers.shape == (2, 43) and numbers[0, :4].tolist() == [1, 1, 0, 2] and numbers[0, 10] == -100
    encoded = torch.randn(2, 36, 8), torch.tensor([36, 36])
    answers = head.answers(encoded, 4)
    for row in answers:
        assert len({answer.text for answer in row}) == 4
        chances = [answer.probability for answer in row]
        assert chances == sorted(chances, reverse=True)
        assert (head.numbers([row[0].text]) >= -100).all()
    for text in ("x.o/...", "x.o/.../..y", ""):
        with pytest.raises(UsageError, match="no position of 6x7, 3x3"):
            head.numbers([text])


def test_cells_are_learnt_where_they_are() -> None:
    """Boards of one row that fill the picture or its left half: a place shows what lies there."""
    torch.manual_seed(0)
    head, side = Cells(6, ["1x3"]), 12
    contents = torch.randint(0, 3, (64, 3))
    places = torch.zeros(64, side, side, 6)
    for row, line in enumerate(contents.tolist()):
        wide = (side if row % 2 else side // 2) // 3
        places[row, :, 3 * wide :, 5] = 1.0
        for column, content in enumerate(line):
            places[row, :, column * wide : (column + 1) * wide, content] = 1.0
    encoded = places.flatten(1, 2), torch.full((64,), side * side)
    targets = torch.from_numpy(head.numbers(["".join(".xo"[n] for n in row) for row in contents.tolist()]))
    optimizer = torch.optim.Adam(head.parameters(), 0.01)
    for _ in range(150):
        loss = head.loss(encoded, targets)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    told = np.stack([seen.cells.argmax(1) for seen in head.eval().seen(encoded)])
    assert (told == contents.numpy()).mean() > 0.97
    with pytest.raises(UsageError, match="a square of places"):
        head((torch.zeros(1, 5, 6), torch.tensor([5])))


def test_drawn_positions_are_legal() -> None:
    chance = np.random.default_rng(0)
    for _ in range(50):
        lines = play(chance, 6, 7, 4, falling=True).split("/")
        assert len(lines) == 6 and 0 <= "".join(lines).count("x") - "".join(lines).count("o") <= 1
        for column in zip(*lines, strict=True):
            assert "".join(column).lstrip(".").count(".") == 0, "no disc floats"


def test_clusters_read_a_plain_rack() -> None:
    text = "......./......./......./.o...../.xo..../ooxx..x"
    picture = np.full((120, 140, 3), (35, 75, 170), np.uint8)
    for row, line in enumerate(text.split("/")):
        for column, sign in enumerate(line):
            cell = picture[row * 20 + 2 : row * 20 + 18, column * 20 + 2 : column * 20 + 18]
            cell[:] = {".": (225, 225, 225), "x": (210, 40, 50), "o": (240, 205, 60)}[sign]
    assert read_board(picture) == text


def test_scores_count_boards_and_cells() -> None:
    true = ["x../.../...", "x../.../..."]
    assert reading_scores(["x../.../...", "o../.../..."], true) == {
        "board_accuracy": 0.5, "cell_accuracy": pytest.approx(17 / 18)
    }  # fmt: skip
    assert reading_scores(["x", "x../.../..."], true)["cell_accuracy"] == 0.5
