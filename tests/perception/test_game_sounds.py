"""The encoder of games' sounds: what it tells apart, and sounds that are silent, clipped or too short."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium import spaces

from lanista.errors import UsageError
from lanista.perception.encoder import build_encoder
from lanista.perception.encoders.sound_cnn import SoundCnn
from lanista.perception.fusion import build_fusion

RATE = 8000
SPACE = spaces.Box(-32768, 32767, (2133,), np.int16)


def tone(hertz: float, loud: float = 0.5, begin: int = 0, end: int = 2133) -> torch.Tensor:
    """One square tone, (1, 2133) int16, silent outside of these samples."""
    time = np.arange(2133)
    wave = np.sign(np.sin(2 * np.pi * hertz * time / RATE)) * loud * 32767
    return torch.from_numpy(np.where((begin <= time) & (time < end), wave, 0).astype(np.int16)[None])


def encoder() -> SoundCnn:
    torch.manual_seed(0)
    made = build_encoder("sound_cnn", SPACE)
    assert isinstance(made, SoundCnn)
    return made.eval()


def test_silence_is_nothing_and_the_loudest_tone_is_near_one() -> None:
    assert not encoder().spectrogram(torch.zeros((1, 2133), dtype=torch.int16)).any()
    time = np.arange(2133) / RATE
    loudest = torch.from_numpy((32767 * np.sin(2 * np.pi * 1000 * time)).astype(np.int16)[None])
    assert 0.9 < float(encoder().spectrogram(loudest).max()) <= 1


def test_pitch_loudness_and_time_are_told_apart() -> None:
    shown = encoder().spectrogram(torch.cat([tone(480), tone(233), tone(480, 0.05), tone(480, begin=1600)]))
    bands = shown.mean(1).argmax(1).tolist()
    assert bands[0] == bands[2] > bands[1]
    assert float(shown[0].max() - shown[2].max()) == pytest.approx(2 / 6, abs=0.01), "20 dB are two decades of six"
    late = shown[3].amax(1)
    assert not late[:18].any() and float(late[22:].min()) > 0.5, "it begins at 0.2 s, the 20th frame"


@pytest.mark.parametrize("name", ["sound_cnn", "speech_crnn"])
@pytest.mark.parametrize("sound", ["silent", "clipped", "one sample", "constant"])
def test_sounds_that_are_not_as_they_should_be_give_numbers_and_gradients(name: str, sound: str) -> None:
    rows = torch.zeros((2, 2133), dtype=torch.int16)
    if sound == "clipped":
        rows = torch.from_numpy(np.where(np.arange(2133) // 9 % 2, -32768, 32767).astype(np.int16)).repeat(2, 1)
    elif sound == "one sample":
        rows[:, 7] = 1
    elif sound == "constant":
        rows += 32767
    made = build_encoder(name, SPACE)
    features = made(rows)
    features.square().sum().backward()
    assert torch.isfinite(features).all()
    assert all(torch.isfinite(weight.grad).all() for weight in made.parameters() if weight.grad is not None)


def test_a_picture_is_joined_with_what_is_heard() -> None:
    """By default the sound scales and shifts what is seen; the same silence in many rows is read once, and alike."""
    torch.manual_seed(0)
    both = spaces.Dict({"observation": spaces.Box(0, 255, (1, 42, 42), np.uint8), "sound": SPACE})
    fusion = build_fusion(both, joint="auto").eval()
    assert fusion.joint is not None and fusion.joint.kind == "film"
    assert [type(one).__name__ for one in fusion.encoders.values()] == ["NatureCnn", "SoundCnn"]
    picture = torch.randint(0, 256, (1, 1, 42, 42), dtype=torch.uint8).repeat(4, 1, 1, 1)
    sound = torch.cat([torch.zeros((1, 2133), dtype=torch.int16), tone(480), tone(233), tone(480)])
    with torch.no_grad():
        features = fusion({"observation": picture, "sound": sound})
    torch.testing.assert_close(features[1], features[3])
    assert not torch.allclose(features[0], features[1]) and not torch.allclose(features[1], features[2])


@pytest.mark.parametrize(
    ("words", "shape", "said"),
    [
        ("sound_cnn", (500,), "needs sounds of (512 or more samples,), not (500,)"),
        ("sound_cnn", (1, 42, 42), "needs sounds of (512 or more samples,), not (1, 42, 42)"),
        ("sound_cnn:rate=100", (2133,), "4,000 to 48,000 samples a second and 16 to 128 bands"),
        ("sound_cnn:rate=48000", (2133,), "needs sounds of (3072 or more samples,), not (2133,)"),
        ("sound_cnn:channels=0", (2133,), "1 to 512 channels"),
        ("sound_cnn:dims=3", (2133,), "did you mean 'dim'?"),
    ],
)
def test_wrong_words(words: str, shape: tuple[int, ...], said: str) -> None:
    with pytest.raises(UsageError) as told:
        build_encoder(words, spaces.Box(-32768, 32767, shape, np.int16))
    assert said in str(told.value) and "\n" not in str(told.value)
