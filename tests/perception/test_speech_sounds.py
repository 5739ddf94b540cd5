"""Sound files of all kinds, the frames that the encoder makes of them, and what may happen to sounds on their way."""

from __future__ import annotations

import wave
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
import torch

from lanista.errors import UsageError
from lanista.perception.encoder import build_encoder, load_encoder
from lanista.perception.encoders.speech_crnn import LogMel, mel_filters
from lanista.perception.inputs.sound import SoundInput, level, read_sound, trimmed
from lanista.perception.sound_changes import changed


def tone(rate: int, seconds: float = 0.5, hertz: float = 440.0) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)).astype(np.float32)


def loudest_hertz(row: np.ndarray, rate: int) -> float:
    spectrum = np.abs(np.fft.rfft(row.astype(float)))
    return float(spectrum.argmax() * rate / len(row))


@pytest.mark.parametrize("rate", [8000, 11_025, 16_000, 44_100, 48_000])
@pytest.mark.parametrize(
    ("ending", "kind"), [("wav", "PCM_16"), ("wav", "FLOAT"), ("wav", "ULAW"), ("flac", "PCM_24"), ("ogg", "VORBIS")]
)
def test_files_of_all_rates_and_kinds_are_read(tmp_path: Path, rate: int, ending: str, kind: str) -> None:
    file = tmp_path / f"a.{ending}"
    soundfile.write(file, np.stack([tone(rate), 0.5 * tone(rate)], 1), rate, subtype=kind)
    row = SoundInput(8000, 8000).read(file)
    assert row.shape == (8000,)
    assert row.dtype == np.int16
    assert abs(loudest_hertz(row, 8000) - 440) < 5
    assert 0.6 * 32767 < np.abs(row.astype(int)).max() <= 0.75 * 32767


def test_a_sound_lies_in_the_middle_of_its_window() -> None:
    quiet = np.zeros(3000, np.float32)
    long = np.concatenate([np.full(9000, 0.02, np.float32), tone(8000, 0.5), np.full(500, 0.02, np.float32)])
    rows = SoundInput(8000, 6000, trim=False).fit([np.concatenate([quiet, tone(8000, 0.25), quiet]), long, quiet])
    heard = np.flatnonzero(np.abs(rows[0]) > 1000)
    assert abs((heard[0] + heard[-1]) / 2 - 3000) < 100
    assert np.count_nonzero(np.abs(rows[1]) > 3000) > 3000, "of a long one the loudest part is kept, whole"
    assert not rows[2].any()


def test_silence_and_what_is_no_number_are_borne() -> None:
    assert len(trimmed(np.zeros(4000, np.float32), 8000)) == 0
    assert np.isfinite(level(np.array([np.nan, np.inf, 0.5], np.float32))).all()
    assert SoundInput(8000, 100).fit([np.zeros(0, np.float32)]).shape == (1, 100)
    assert SoundInput(8000, 100).fit([]).shape == (0, 100)


def test_bad_files_are_named(tmp_path: Path) -> None:
    reader = SoundInput()
    with pytest.raises(UsageError, match="no sound file"):
        reader.read(tmp_path / "none.wav")
    with pytest.raises(UsageError, match="no sound file"):
        reader.read(tmp_path)
    broken = tmp_path / "broken.wav"
    for content in (b"", b"RIFF", b"\x89PNG\r\n\x1a\n" + bytes(100), bytes(1000)):
        broken.write_bytes(content)
        with pytest.raises(UsageError, match=r"broken\.wav"):
            reader.read(broken)
    empty = tmp_path / "empty.wav"
    soundfile.write(empty, np.zeros(0, np.float32), 8000)
    with pytest.raises(UsageError, match="0 samples"):
        reader.read(empty)
    enormous = tmp_path / "enormous.flac"
    soundfile.write(enormous, np.zeros(2**22, np.int16), 8000)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(UsageError, match="too many"):
        patch.setattr("lanista.perception.inputs.sound.MOST_SAMPLES", 2**20)
        reader.read(enormous)
    with pytest.raises(UsageError, match="no sounds are like this"):
        SoundInput(rate=0)


def test_a_cut_file_gives_what_there_is_or_an_error(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.wav", tmp_path / "cut.wav"
    soundfile.write(whole, tone(8000), 8000, subtype="PCM_16")
    cut.write_bytes(whole.read_bytes()[:2000])
    assert len(read_sound(cut)[0]) < 1000
    odd = tmp_path / "odd.wav"
    with wave.open(str(odd), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(100)
        file.writeframes(bytes(2000))
    with pytest.raises(UsageError, match="100 samples a second"):
        read_sound(odd)


@pytest.mark.parametrize(("rate", "bands"), [(8000, 40), (16_000, 64)])
def test_frames_are_those_of_librosa(rate: int, bands: int) -> None:
    chance = np.random.default_rng(0)
    sound = (chance.normal(size=rate) * 0.1).astype(np.float32) + tone(rate, 1.0)
    frames = LogMel(rate, bands)
    size, hop = frames.size, frames.hop
    np.testing.assert_allclose(
        mel_filters(rate, size, bands), librosa.filters.mel(sr=rate, n_fft=size, n_mels=bands, fmin=60), atol=1e-7
    )
    theirs = librosa.feature.melspectrogram(
        y=sound, sr=rate, n_fft=size, hop_length=hop, n_mels=bands, fmin=60, pad_mode="constant"
    )
    ours = frames(torch.from_numpy(sound)[None])[0].numpy()
    np.testing.assert_allclose(ours, np.log10(np.maximum(theirs.T, 1e-10)), atol=2e-4)


def test_the_encoder_does_not_mind_loudness_and_reads_any_length(tmp_path: Path) -> None:
    torch.manual_seed(0)
    reader = SoundInput(8000, 6000)
    encoder = build_encoder("speech_crnn", reader.space).eval()
    sounds = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 6000)).astype(np.float32) * 8000)
    torch.testing.assert_close(encoder(sounds), encoder(sounds * 0.1), atol=1e-4, rtol=1e-3)
    steps, lengths = encoder.sequence(torch.cat([sounds, sounds], 1))
    assert steps.shape == (2, 76, encoder.dim)
    assert lengths.tolist() == [76, 76]
    encoder.input = reader
    encoder.save_pretrained(tmp_path / "e")
    assert load_encoder(tmp_path / "e").input == reader


def test_silence_is_encoded() -> None:
    encoder = build_encoder("speech_crnn", SoundInput(8000, 6000).space)
    assert torch.isfinite(encoder(torch.zeros(1, 6000, dtype=torch.int16))).all()


def test_wrong_options_of_the_encoder_are_named() -> None:
    space = SoundInput(8000, 6000).space
    for words, what in (("step=30", "'step' of 20 or 40"), ("channels=30", "multiples of 8"), ("rate=1", "4,000")):
        with pytest.raises(UsageError, match=what):
            build_encoder(f"speech_crnn:{words}", space)
    with pytest.raises(UsageError, match="needs sounds"):
        build_encoder("speech_crnn", SoundInput(8000, 100).space)


def test_changes_keep_size_and_follow_their_generator() -> None:
    batch = torch.from_numpy(SoundInput(8000, 6000).fit([tone(8000, 0.5, hertz) for hertz in (300, 500, 900, 1500)]))
    one = changed(batch, 8000, torch.Generator().manual_seed(1))
    assert one.shape == batch.shape
    assert torch.isfinite(one).all()
    assert torch.equal(one, changed(batch, 8000, torch.Generator().manual_seed(1)))
    assert not torch.equal(one, changed(batch, 8000, torch.Generator().manual_seed(2)))
    assert 1000 < one.abs().max() < 80_000
    silent = changed(torch.zeros(2, 6000, dtype=torch.int16), 8000, torch.Generator().manual_seed(1))
    assert torch.isfinite(silent).all()
