"""Views of MiniGrid, instructions, and what both are learnt with: tiles, words, attributes; agents read them too."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium import spaces

from lanista.errors import UsageError
from lanista.perception.adapt import adapted
from lanista.perception.data._instructions import UNSEEN, VARIED
from lanista.perception.data.minigrid_views import CONTENTS, contents
from lanista.perception.data.missions import ATTRIBUTES, MORE, load
from lanista.perception.encoder import build_encoder, encoder_from
from lanista.perception.head import head_from
from lanista.perception.heads.attributes import Attributes, text_of, values_of
from lanista.perception.input import input_from
from lanista.perception.inputs.words import SPACE, WordsInput, token
from lanista.perception.pretrained import load_encoder, load_recogniser
from lanista.perception.tasks.minigrid_views import nearest, tiles, view_scores

SCREEN = spaces.Box(0, 255, (3, 24, 16), np.uint8)


def test_attributes_are_texts_and_values_again() -> None:
    torch.manual_seed(0)
    head = Attributes(8, [["red", "blue"], ["ball", "box", "key"]], places=2).eval()
    values = np.array([[1, 2], [0, 0]])
    assert head.text_of(values) == "blue key, red ball"
    assert np.array_equal(values_of("blue key, red ball", head.attributes), values)
    with torch.no_grad():
        head.linear.weight.zero_()
        head.linear.weight[[1, 2], 0] = 3.0  # a place whose first feature is 1: blue, ball
    encoded = torch.tensor([[1.0, 0, 0, 0, 0, 0, 0, 0]])
    with torch.no_grad():
        head.linear.bias.copy_(torch.tensor([1.0, 0, 0, 0, 2]))
    (answer,) = head.answers(encoded)[0]
    assert answer.text == "blue ball, red key"
    colour, thing = torch.tensor([1.0, 3]).softmax(0)[1], torch.tensor([3.0, 0, 2]).softmax(0)[0]
    there, other = torch.tensor([1.0, 0]).softmax(0)[0], torch.tensor([0.0, 0, 2]).softmax(0)[2]
    assert answer.probability == pytest.approx(float(colour * thing * there * other), abs=1e-5)
    targets = torch.from_numpy(head.numbers([[[1, 0], [0, 2]]]))
    costs = -(colour.log() + there.log()) / 2 - (thing.log() + other.log()) / 2
    assert float(head.loss(encoded, targets).detach()) == pytest.approx(float(costs), abs=1e-5)
    with pytest.raises(UsageError, match="indices of"):
        head.numbers([[[1, 3], [0, 0]]])


@pytest.mark.parametrize(
    "about",
    [
        {"attributes": []},
        {"attributes": [["a b"]]},
        {"attributes": [["a", ""]]},
        {"attributes": ["ab"]},
        {"attributes": [["a"]], "places": 3},
        {"attributes": [["a"]], "dropout": 1},
    ],
)
def test_wrong_attributes_are_refused(about: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        head_from({"head": "attributes", **about}, 8)


def test_a_tile_is_read_alike_wherever_it_is_and_by_itself() -> None:
    torch.manual_seed(0)
    encoder = build_encoder("tile_cnn:cell=4,channels=6", SCREEN)
    screen = torch.randint(0, 255, (1, 3, 24, 16), dtype=torch.uint8)
    moved = screen.roll((8, 8), (2, 3))
    one, other = (encoder.features(each).reshape(3, 2, 4) for each in (screen, moved))
    torch.testing.assert_close(one.roll((1, 1), (0, 1)), other)
    torch.testing.assert_close(encoder.places(screen)[0].permute(1, 2, 0), one)  # type: ignore[operator]
    screen[0, :, :8, :8] = 0
    changed = (encoder.features(screen).reshape(3, 2, 4) != one).any(-1)
    assert changed.nonzero().tolist() == [[0, 0]]
    with pytest.raises(UsageError, match="tiles of 8"):
        build_encoder("tile_cnn", spaces.Box(0, 255, (3, 20, 16), np.uint8))


def test_contents_are_minigrids_own() -> None:
    symbols = np.zeros((2, 2, 3), np.uint8)  # columns, rows
    symbols[1, 0] = (4, 2, 2)
    symbols[0, 1] = (6, 5, 0)
    symbols[1, 1] = (1, 0, 0)
    told = [CONTENTS[index] for index in contents(symbols)[:, 0]]
    assert told == ["unseen", "locked-blue-door", "grey-ball", "empty"]


def test_views_are_scored_by_what_lies_in_them() -> None:
    wall, ball = CONTENTS.index("grey-wall"), CONTENTS.index("red-ball")
    true = np.array([[[wall], [ball]], [[wall], [wall]]])
    told = np.array([[[wall], [wall]], [[wall], [wall]]])
    assert view_scores(told, true) == {"view_accuracy": 0.5, "cell_accuracy": 0.75, "thing_accuracy": 0.0}
    views = np.random.default_rng(0).integers(0, 255, (2, 56, 56, 3), np.uint8)
    cut = tiles(views)
    assert np.array_equal(cut[49 + 8].reshape(8, 8, 3), views[1, 8:16, 8:16])
    assert nearest(cut[[3, 70]], cut.astype(np.float32)).tolist() == [3, 70]


def test_the_shipped_encoder_of_views_reads_what_babyai_shows() -> None:
    """What it says of a game's pixels is what the same game's symbols are."""
    from lanista.envs import make

    model = load_recogniser("minigrid_views")
    rights = []
    shown = [make(f"babyai:GoToLocalS8N7?map={kind}&mission=none", copies=8) for kind in ("pixels", "symbols")]
    for game in shown:
        game.reset(seed=3)
    for step in range(6):
        pixels, symbols = (game.turn().observation["map"] for game in shown)
        told = [values_of(answer[0].text, [CONTENTS]) for answer in model.answers(np.asarray(pixels))]
        rights += [
            np.array_equal(*pair) for pair in zip(told, map(contents, symbols.transpose(0, 2, 3, 1)), strict=True)
        ]
        for game in shown:
            game.step(np.full(8, step % 3))
    assert np.mean(rights) == 1.0


def test_missions_say_what_their_values_are() -> None:
    parts = load(count=400, tests=100).parts
    text_values = {
        text: text_of(values, ATTRIBUTES).split()
        for part in parts.values()
        for text, values in zip(part.inputs, part.targets, strict=True)
    }
    for text, values in text_values.items():
        words = text.replace(",", " ").split()
        colours = [word for word in values if word in ("red", "green", "blue", "purple", "yellow", "grey")]
        assert sorted(colours) == sorted(word for word in words if word in set(colours)), text
        things = [values[place] for place in (2, 5, 9, 12) if values[place] != "-"]
        told = [word for word in words if word in ("ball", "box", "key", "door", "object")]
        assert sorted(things) == sorted(told), text
        order = [*things[len(things) // 2 :], *things[: len(things) // 2]]
        assert "after you" not in text or len(things) != 2 or told == order, text


def test_unseen_words_are_in_no_other_part() -> None:
    for phrase in VARIED:
        assert not set(UNSEEN[phrase]) & {*VARIED[phrase], *MORE[phrase]}
    parts = load(count=2000, tests=200).parts
    only = {"find", "approach", "lift", "fetch", "set", "drop", "near", "close", "afterwards", "through", "swing"}
    for part in ("train", "valid", "test"):
        words = {word for text in parts[part].inputs for word in text.replace(",", " ").split()}
        assert not words & only, part
    first = load(count=50, tests=200).parts["test"].inputs
    assert first == parts["test"].inputs, "the tests are the same however much is learnt from"


def test_words_are_an_input_that_agents_texts_fit() -> None:
    reader = input_from({"kind": "words"})
    assert reader == WordsInput() and reader.describe() == {"kind": "words"} and reader.space == SPACE
    rows = reader.fit(["Go to the red ball", ""])
    assert rows.shape == (2, 64) and rows[0, :3].tolist() == [token("go"), token("to"), token("the")]
    assert not rows[1].any() and np.array_equal(reader.read("go TO the red ball"), rows[0])
    missions = load_encoder("missions")
    assert adapted(missions, SPACE) is missions
    with pytest.raises(UsageError, match=r"a tokeniser of its own.*lanista pretrain missions"):
        adapted(load_encoder("intents"), SPACE)


def test_pretrained_features_of_tiles_are_no_larger_than_fresh_ones_by_much() -> None:
    pretrained = load_encoder("minigrid_views")
    torch.manual_seed(0)
    fresh = encoder_from({key: value for key, value in pretrained.describe().items() if key != "input"})
    screens = torch.randint(0, 255, (32, 3, 56, 56), dtype=torch.uint8)
    sizes = [float(encoder.features(screens).detach().square().mean().sqrt()) for encoder in (pretrained, fresh)]
    assert sizes[0] < 2 * sizes[1]
