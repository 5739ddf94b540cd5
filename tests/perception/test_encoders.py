"""The conformance suite of encoders, over every file of `perception/encoders`; adding one adds no test."""

from __future__ import annotations

import copy
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from gymnasium import spaces

from lanista.errors import UsageError
from lanista.perception.encoder import Encoder, build_encoder, encoder_from, encoders, load_encoder
from lanista.perception.fusion import build_fusion, fusion_from

pytestmark = pytest.mark.long

SPACES = {
    "board": spaces.Box(0, 1, (2, 6, 7), np.int8),
    "picture": spaces.Box(0, 255, (3, 8, 8), np.uint8),
    "screen": spaces.Box(0, 255, (2, 40, 44), np.uint8),
    "numbers": spaces.Box(-5, 5, (4,), np.float32),
    "tokens": spaces.Box(0, 99, (12,), np.int32),
    "sound": spaces.Box(-32768, 32767, (4000,), np.int16),
}


def fits(name: str, space: spaces.Box) -> Encoder | None:
    """The encoder for a space, or None if it says that it reads no such space."""
    try:
        return build_encoder(name, space)
    except UsageError:
        return None


CASES = [(name, kind) for name in encoders() for kind in SPACES if fits(name, SPACES[kind]) is not None]


@cache
def built(name: str, kind: str) -> tuple[Encoder, torch.Tensor]:
    """A fresh encoder, whose weights may take a while to draw, and a batch for it."""
    torch.manual_seed(0)
    space = SPACES[kind]
    space.seed(0)
    batch = torch.from_numpy(np.stack([space.sample() for _ in range(8)]))
    return build_encoder(name, space), batch


@pytest.fixture(params=CASES, ids=lambda case: "-".join(case))
def case(request: pytest.FixtureRequest) -> tuple[Encoder, torch.Tensor]:
    encoder, batch = built(*request.param)
    return copy.deepcopy(encoder), batch.clone()


def test_every_encoder_reads_something() -> None:
    assert {name for name, _ in CASES} == set(encoders())


def test_features_have_the_promised_shape(case: tuple[Encoder, torch.Tensor]) -> None:
    encoder, batch = case
    features = encoder(batch)
    assert features.shape == (8, encoder.dim)
    assert features.dtype == torch.float32
    assert torch.isfinite(features).all()
    assert features.std(0).max() > 0, "all observations look the same to it"


def test_every_parameter_gets_a_gradient(case: tuple[Encoder, torch.Tensor]) -> None:
    encoder, batch = case
    encoder(batch).square().sum().backward()
    for name, parameter in encoder.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_a_row_does_not_depend_on_its_batch(case: tuple[Encoder, torch.Tensor]) -> None:
    encoder, batch = case
    whole = encoder(batch)
    for row in range(len(batch)):
        torch.testing.assert_close(encoder(batch[row : row + 1])[0], whole[row], rtol=1e-4, atol=1e-5)


def test_saved_and_loaded_it_is_the_same(case: tuple[Encoder, torch.Tensor], tmp_path: Path) -> None:
    encoder, batch = case
    encoder.save_pretrained(tmp_path / "encoder", task="none")
    loaded = load_encoder(tmp_path / "encoder")
    assert type(loaded) is type(encoder)
    assert torch.equal(loaded(batch), encoder(batch))


def test_bfloat16_stays_near(case: tuple[Encoder, torch.Tensor]) -> None:
    encoder, batch = case
    with torch.autocast("cpu", torch.bfloat16):
        rough = encoder(batch).float()
    fine = encoder(batch)
    assert torch.isfinite(rough).all()
    assert (rough - fine).abs().max() < 0.1 * fine.abs().max()


# An export takes seconds: one with each kind of layers by default or with -m thorough, the others with -m slow. The
# sound's spectrogram is in `sound_cnn` and a GRU each way in `text_gru`; `speech_crnn`, which has both, takes longest.
EXPORTS = {"nature_cnn": [], "sound_cnn": [], "text_gru": [pytest.mark.thorough]}


@pytest.mark.parametrize(
    "case",
    [pytest.param(each, marks=EXPORTS.get(each[0], [pytest.mark.slow])) for each in CASES],
    ids="-".join,
    indirect=True,
)
def test_exported_to_onnx_it_is_the_same(case: tuple[Encoder, torch.Tensor], tmp_path: Path) -> None:
    encoder, batch = case
    rows = {0: torch.export.Dim("rows", min=2)}
    file = tmp_path / "encoder.onnx"
    torch.onnx.export(encoder.eval(), (batch,), file, dynamo=True, dynamic_shapes=(rows,), verbose=False)
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    for some in (batch, batch[:3]):
        (found,) = session.run(None, {session.get_inputs()[0].name: some.numpy()})
        torch.testing.assert_close(torch.from_numpy(found), encoder(some).detach(), rtol=1e-4, atol=1e-4)


def test_layer_groups_hold_every_parameter_once(case: tuple[Encoder, torch.Tensor]) -> None:
    encoder, _ = case
    grouped = [id(parameter) for group in encoder.layer_groups() for parameter in group]
    assert sorted(grouped) == sorted(id(parameter) for parameter in encoder.parameters())


def test_frozen_it_gets_no_gradient(case: tuple[Encoder, torch.Tensor]) -> None:
    encoder, batch = case
    assert not encoder.freeze()(batch).requires_grad
    assert encoder.freeze(False)(batch).requires_grad


def test_pictures_of_bytes_are_scaled() -> None:
    assert build_encoder("mlp", SPACES["picture"]).prepare(torch.full((1, 3, 8, 8), 255, dtype=torch.uint8)).max() == 1


def test_fusion_joins_modalities() -> None:
    fusion = build_fusion(spaces.Dict({"numbers": SPACES["numbers"], "board": SPACES["board"]}))
    batch = {name: torch.from_numpy(np.stack([SPACES[name].sample()] * 3)) for name in ("numbers", "board")}
    assert fusion(batch).shape == (3, fusion.dim)
    again = fusion_from(fusion.describe())
    again.load_state_dict(fusion.state_dict())
    assert torch.equal(again(batch), fusion(batch))


def test_wrong_words_name_the_right_ones() -> None:
    with pytest.raises(UsageError, match="did you mean 'board_resnet'"):
        build_encoder("board_resnt", SPACES["board"])
    with pytest.raises(UsageError, match="did you mean 'channels'"):
        build_encoder("board_resnet:chanels=3", SPACES["board"])
    with pytest.raises(UsageError, match="must be int"):
        build_encoder("board_resnet:channels=wide", SPACES["board"])
    with pytest.raises(UsageError, match="use mlp"):
        build_encoder("board_resnet", SPACES["numbers"])
    with pytest.raises(UsageError, match="no shape"):
        encoder_from({"encoder": "mlp", "shape": [10**9]})


def test_perception_imports_no_reinforcement_learning() -> None:
    code = (
        "import sys, lanista.perception.fusion; "
        "print([m for m in ('ray', 'stable_baselines3', 'pettingzoo') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"
