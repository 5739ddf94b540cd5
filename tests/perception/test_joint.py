"""What modalities say together, and texts and sounds that are read once however many rows they stand in."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces

from lanista.errors import UsageError
from lanista.perception.encoder import Encoder, build_encoder, encoder_class, encoders
from lanista.perception.fusion import build_fusion, default_encoder, fusion_from
from lanista.perception.repeated import Repeated

MAP = spaces.Box(0, 10, (3, 5, 5), np.uint8)
TEXT = spaces.Box(0, 4095, (16,), np.uint16)
BOTH = spaces.Dict({"map": MAP, "mission": TEXT})


def rows(count: int, texts: int) -> dict[str, torch.Tensor]:
    chance = np.random.default_rng(0)
    said = chance.integers(1, 4096, (texts, 16)).astype(np.uint16)
    return {
        "map": torch.from_numpy(chance.integers(0, 11, (count, 3, 5, 5)).astype(np.uint8)),
        "mission": torch.from_numpy(said[chance.integers(0, texts, count)]),
    }


@pytest.mark.parametrize("words", ["film", "mlp:dim=24", "film:dim=24", "film_maps", "film_maps:dim=24"])
def test_a_joint_is_made_again_from_its_description(words: str) -> None:
    fusion = build_fusion(BOTH, joint=words)
    assert fusion.joint is not None and fusion.dim == (24 if "24" in words else 128)
    again = fusion_from(fusion.describe(), fusion.joint.describe())
    again.load_state_dict(fusion.state_dict())
    batch = rows(7, 3)
    torch.testing.assert_close(again(batch), fusion(batch))


@pytest.mark.parametrize(("words", "least"), [("film", 0.99), ("film_maps", 0.99), ("mlp", 0.99)])
def test_what_is_seen_is_good_or_bad_by_what_is_said(words: str, least: float) -> None:
    """A product of two signs: no layer on features side by side can tell it, as the same test without a joint shows."""
    reached = {}
    seen, said = np.arange(256) % 2, np.arange(256) // 2 % 2
    batch = {"map": torch.zeros(256, 3, 5, 5, dtype=torch.uint8), "mission": torch.zeros(256, 16, dtype=torch.uint16)}
    batch["map"][:, 0, 2, 2] = torch.from_numpy(seen).to(torch.uint8)
    batch["mission"][:, 0] = torch.from_numpy(said + 1).to(torch.uint16)
    target = torch.from_numpy((seen == said).astype(np.float32))
    for joint in (words, "none"):
        torch.manual_seed(0)
        fusion = build_fusion(BOTH, {"map": "symbol_cnn:channels=8,dim=16", "mission": "text_gru:dim=16"}, joint)
        top = torch.nn.Linear(fusion.dim, 1)
        optimizer = torch.optim.Adam([*fusion.parameters(), *top.parameters()], lr=1e-2)
        for _ in range(60):
            told = top(fusion(batch))[:, 0]
            optimizer.zero_grad()
            torch.nn.functional.binary_cross_entropy_with_logits(told, target).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        reached[joint] = float(((told > 0) == target.bool()).float().mean())
    assert reached[words] >= least and reached["none"] < 0.8, reached


@pytest.mark.parametrize("name", [name for name in encoders() if encoder_class(name).modality in ("", "picture")])
def test_maps_that_are_told_nothing_are_as_they_were(name: str) -> None:
    """Every encoder that offers its maps: zeros change nothing, each scale and shift something."""
    for space in (MAP, spaces.Box(0, 255, (3, 56, 56), np.uint8)):
        try:
            encoder = build_encoder(name, space)
        except UsageError:
            continue
        batch = torch.from_numpy(np.random.default_rng(0).integers(0, 11, (2, *space.shape)).astype(np.uint8))
        if not encoder.film:
            with pytest.raises(UsageError, match="no maps"):
                encoder.filmed(batch, torch.zeros(2, 1), torch.zeros(2, 1))
            continue
        scale, shift = torch.zeros(2, 2, encoder.film, requires_grad=True)
        told = encoder.filmed(batch, scale, shift)
        torch.testing.assert_close(told, encoder(batch))
        for gradient in torch.autograd.grad(told.square().sum(), (scale, shift)):
            assert (gradient != 0).float().mean() > 0.5, name


def test_a_joint_chooses_itself() -> None:
    assert build_fusion(BOTH, joint="auto").joint is not None
    chosen = {}
    for encoder in ("symbol_cnn", "board_resnet"):
        joint = build_fusion(BOTH, {"map": encoder, "mission": "text_gru"}, "auto").joint
        assert joint is not None
        chosen[encoder] = joint.kind
    assert chosen == {"symbol_cnn": "film_maps", "board_resnet": "film"}


def test_a_joint_that_cannot_be_says_why() -> None:
    with pytest.raises(UsageError, match="did you mean 'film'"):
        build_fusion(BOTH, joint="flim")
    with pytest.raises(UsageError, match="several modalities"):
        build_fusion(spaces.Dict({"map": MAP}), joint="mlp")
    with pytest.raises(UsageError, match="whose maps can be scaled"):
        build_fusion(BOTH, {"map": "board_resnet", "mission": "text_gru"}, "film_maps")
    with pytest.raises(UsageError, match="something else"):
        build_fusion(spaces.Dict({"one": MAP, "other": MAP}), joint="film")
    assert build_fusion(spaces.Dict({"map": MAP}), joint="auto").joint is None
    with pytest.raises(UsageError, match="needs 'kind' and 'dim'"):
        fusion_from(build_fusion(BOTH).describe(), {"kind": "film"})


def test_maps_of_symbols_are_known_by_their_space() -> None:
    assert default_encoder(MAP) == "symbol_cnn"
    assert default_encoder(spaces.Box(0, 1, (3, 5, 5), np.uint8)) == "board_resnet"
    assert default_encoder(spaces.Box(0, 255, (3, 64, 64), np.uint8)) == "nature_cnn"
    assert default_encoder(spaces.Box(-32768, 32767, (2133,), np.int16)) == "sound_cnn", "nothing is said so quickly"
    assert default_encoder(spaces.Box(-32768, 32767, (4000,), np.int16)) == "speech_crnn"


class Counting(Encoder):
    """Says how many rows it was asked about."""

    def __init__(self) -> None:
        super().__init__((16,), {}, 1.0)
        self.dim = 2
        self.asked: list[int] = []
        self.layer = torch.nn.Linear(16, 2)

    def features(self, observation: torch.Tensor) -> torch.Tensor:
        self.asked.append(len(observation))
        return self.layer(observation.float())  # type: ignore[no-any-return]


def test_each_text_is_read_once_and_its_gradient_is_that_of_all_its_rows() -> None:
    encoder, repeated, texts = Counting(), Repeated(), rows(50, 4)["mission"]
    out = repeated.features(encoder, texts)
    assert encoder.asked == [4]
    torch.testing.assert_close(out, encoder(texts))
    weights = torch.randn(50, 2)
    (out * weights).sum().backward()  # type: ignore[no-untyped-call]
    found = [parameter.grad.clone() for parameter in encoder.parameters() if parameter.grad is not None]
    encoder.zero_grad()
    (encoder(texts) * weights).sum().backward()
    for mine, parameter in zip(found, encoder.parameters(), strict=True):
        assert parameter.grad is not None
        torch.testing.assert_close(mine, parameter.grad, rtol=1e-4, atol=1e-1)


def by_hand(encoder: Counting) -> None:
    with torch.no_grad():
        encoder.layer.weight.mul_(2)


def by_fused_adam(encoder: Counting) -> None:
    """Of which torch's own count of changes knows nothing."""
    optimizer = torch.optim.Adam(encoder.parameters(), lr=0.1, fused=True)
    encoder.layer(torch.ones(1, 16)).sum().backward()
    optimizer.step()


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("change", [by_hand, by_fused_adam])
def test_while_nobody_learns_what_was_read_is_kept_until_the_weights_change(
    mode: Any, change: Callable[[Counting], None]
) -> None:
    encoder, repeated, texts = Counting(), Repeated(), rows(50, 4)["mission"]
    with mode():
        repeated.features(encoder, texts[:20])
        before = repeated.features(encoder, texts)
        torch.testing.assert_close(before, encoder(texts))
    assert sum(encoder.asked[:-1]) == 4
    change(encoder)
    encoder.asked.clear()
    with mode():
        after = repeated.features(encoder, texts)
        torch.testing.assert_close(after, encoder(texts))
    assert encoder.asked == [4, 50] and not torch.equal(before, after)
    assert not vars(copy.deepcopy(repeated))["_kept"][1], "a copy begins anew"


def test_a_frozen_encoder_is_not_asked_again_while_what_is_above_it_learns() -> None:
    fusion = build_fusion(BOTH, {"map": "symbol_cnn", "mission": Counting().freeze()}, "film")
    encoder = fusion.encoders["mission"]
    assert isinstance(encoder, Counting)
    batch = rows(40, 3)
    with torch.inference_mode():
        fusion(batch)
    for _ in range(3):
        fusion(batch).sum().backward()
    assert encoder.asked == [3] and fusion.joint is not None and fusion.joint.first.weight.grad is not None


def test_in_bfloat16_texts_are_told_apart() -> None:
    encoder, repeated = Counting(), Repeated()
    texts = torch.ones(300, 16, dtype=torch.int16)
    texts[:, 3] = torch.arange(300)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        repeated.features(encoder, texts)
    assert encoder.asked == [300]


def test_sounds_that_differ_in_one_sample_are_told_apart() -> None:
    encoder = build_encoder("speech_crnn:channels=8,hidden=8", spaces.Box(-32768, 32767, (4000,), np.int16)).eval()
    sounds = torch.from_numpy(np.random.default_rng(0).normal(0, 3000, (1, 4000)).astype(np.int16)).repeat(3, 1)
    sounds[1, 3999] += 4000
    with torch.no_grad():
        out = Repeated().features(encoder, sounds)
        torch.testing.assert_close(out, encoder(sounds), rtol=1e-4, atol=1e-5)
    assert torch.equal(out[0], out[2]) and not torch.equal(out[0], out[1])
