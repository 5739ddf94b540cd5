"""Synthetic voices: texts -> waves, by the speech synthesisers that are on this machine.

Three engines are known, all free and in Debian: `espeak-ng` (formants; many accents and variants), `flite` (five voices
made of four people's recordings) and `festival` (diphones). A voice is plain data, so that lists of voices can be
saved; speed, pitch and the length of the vocal tract can be set for each.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import unicodedata
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lanista.errors import UsageError
from lanista.plugs import required

PACKAGES = {"espeak-ng": "espeak-ng", "flite": "flite", "festival": "festival festvox-kdlpc16k festvox-kallpc16k"}
ACCENTS = ("en-us", "en-gb", "en-us-nyc", "en-gb-x-rp", "en-gb-x-gbclan", "en-gb-x-gbcwmd", "en-gb-scotland", "en-029")
# flite's voices with the mean pitch, in Hz, of each.
FLITE = {"kal": 105.0, "awb": 128.0, "rms": 95.0, "slt": 172.0}
INTONATION = 0.1  # usual standard deviation of flite's pitch, of its mean
FESTIVAL = ("ked_diphone", "kal_diphone")
WORDS_A_MINUTE = 165  # of espeak-ng at speed 1
LONGEST = 2000  # characters
LEAST, MOST = 0.4, 2.5  # of speed, pitch and tract


@dataclass(frozen=True)
class Voice:
    """A voice of an engine.

    Attributes:
        engine: "espeak-ng", "flite" or "festival".
        name: the engine's own, such as "en-gb+f2", "slt" or "ked_diphone".
        speed: 1 is the engine's usual.
        pitch: its mean is multiplied by this; festival keeps its own.
        tract: all resonances and the pitch are multiplied by this, as by a shorter (above 1) or longer vocal tract;
            the duration stays.
        intonation: how far the pitch moves about its mean, in the engine's usual extent; only flite can set it.
    """

    engine: str
    name: str
    speed: float = 1.0
    pitch: float = 1.0
    tract: float = 1.0
    intonation: float = 1.0

    def __post_init__(self) -> None:
        if self.engine not in PACKAGES:
            raise UsageError(f"no speech synthesiser '{self.engine}' is known; there are {', '.join(PACKAGES)}")
        if not re.fullmatch(r"[\w+-]{1,64}", self.name):
            raise UsageError(f"'{self.name}' is no name of a voice")
        if not all(LEAST <= value <= MOST for value in (self.speed, self.pitch, self.tract, self.intonation)):
            raise UsageError(f"a voice's speed, pitch, tract and intonation are {LEAST} to {MOST}: {self}")


def voices(engines: Sequence[str] = tuple(PACKAGES)) -> list[Voice]:
    """The voices of these engines at their usual speed, pitch and tract; each accent of espeak-ng with each variant.

    Raises:
        UsageError: an engine is unknown or is not on this machine; the message says how to get it.
    """
    found: list[Voice] = []
    for engine in engines:
        if engine not in PACKAGES:
            raise UsageError(f"no speech synthesiser '{engine}' is known; there are {', '.join(PACKAGES)}")
        program(engine)
        if engine == "espeak-ng":
            found += [Voice(engine, f"{accent}+{variant}") for accent in ACCENTS for variant in variants()]
        else:
            found += [Voice(engine, name) for name in _names(engine)]
    return found


def program(engine: str) -> str:
    """The path of an engine's program.

    Raises:
        UsageError: it is not on this machine.
    """
    path = shutil.which(engine)
    if path is None:
        raise UsageError(f"the speech synthesiser {engine} is not on this machine: apt-get install {PACKAGES[engine]}")
    return path


def variants() -> list[str]:
    """The ids of espeak-ng's variants, which any of its accents can be spoken with, sorted."""
    done = subprocess.run([program("espeak-ng"), "--voices=variant"], capture_output=True, text=True, check=True)
    rows = re.findall(r"!v/(\S+)", done.stdout)
    if not rows:
        raise UsageError("espeak-ng lists no variants of its voices: apt-get install espeak-ng-data")
    return sorted(set(rows))


def speak(texts: Sequence[str], voice: Voice, rate: int = 8000) -> list[np.ndarray]:
    """Texts as a voice says them.

    Args:
        texts: at most 2,000 characters each.
        voice: whose.
        rate: samples a second.

    Returns:
        For each text (samples,) float32 in [-1, 1], silence at both ends as the engine left it.

    Raises:
        UsageError: the engine is not on this machine, does not know the voice, or a text is too long.
    """
    required("soxr", "perception", "synthetic voices")
    required("soundfile", "perception", "synthetic voices")
    program(voice.engine)
    if not 1000 <= rate <= 192_000:
        raise UsageError(f"a sample rate is 1,000 to 192,000, not {rate}")
    for text in texts:
        if len(text) > LONGEST:
            raise UsageError(f"a text to be spoken has at most {LONGEST} characters, not {len(text)}")
    if voice.name not in _names(voice.engine) and voice.engine != "espeak-ng":
        raise UsageError(f"{voice.engine} has no voice '{voice.name}'; it has {', '.join(_names(voice.engine))}")
    # What cannot be read aloud is silence for every engine; only espeak-ng reads more than ASCII.
    ascii_only = voice.engine != "espeak-ng"
    plain = [" ".join(_ascii(text).split() if ascii_only else text.replace("\0", "").split()) for text in texts]
    spoken = [number for number, text in enumerate(plain) if any(character.isalnum() for character in text)]
    waves = [np.zeros(rate // 10, np.float32) for _ in plain]
    if spoken:
        for number, wave in zip(spoken, _speak([plain[number] for number in spoken], voice, rate), strict=True):
            waves[number] = wave
    return waves


def _names(engine: str) -> tuple[str, ...]:
    return tuple(FLITE) if engine == "flite" else FESTIVAL


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def _speak(plain: list[str], voice: Voice, rate: int) -> list[np.ndarray]:
    with tempfile.TemporaryDirectory(prefix="lanista-voices-") as temporary:
        files = [Path(temporary) / f"{number}.wav" for number in range(len(plain))]
        if voice.engine == "festival":
            _festival(plain, voice, files, Path(temporary) / "say.scm")
        else:
            command = _espeak if voice.engine == "espeak-ng" else _flite
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                list(pool.map(lambda text, file: _run(command(text, voice, file), text, voice), plain, files))
        return [_read(file, voice, rate) for file in files]


def _espeak(text: str, voice: Voice, file: Path) -> list[str]:
    speed = str(round(WORDS_A_MINUTE * voice.speed / voice.tract))
    pitch = str(round(min(99.0, max(0.0, 50 * voice.pitch))))
    return ["espeak-ng", "-v", voice.name, "-s", speed, "-p", pitch, "-w", str(file), "--stdin"]


def _flite(text: str, voice: Voice, file: Path) -> list[str]:
    mean = FLITE.get(voice.name, 110.0) * voice.pitch
    features = [f"int_f0_target_mean={mean:.1f}", f"duration_stretch={voice.tract / voice.speed:.3f}"]
    if voice.intonation != 1:
        features.append(f"int_f0_target_stddev={mean * INTONATION * voice.intonation:.1f}")
    settings = [word for feature in features for word in ("--setf", feature)]
    return ["flite", "-voice", voice.name, *settings, "-t", f" {text}", "-o", str(file)]


def _run(command: list[str], text: str, voice: Voice) -> None:
    done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=600)
    if done.returncode:
        said = " ".join(done.stderr.decode(errors="replace").split())[:200]
        hint = f"apt-get install {PACKAGES[voice.engine]}"
        raise UsageError(f"{voice.engine} cannot speak as '{voice.name}' ({said}); is the voice there? {hint}")


def _festival(texts: list[str], voice: Voice, files: list[Path], script: Path) -> None:
    """All texts by one process: it is slow to start."""
    lines = [f"(voice_{voice.name})", f"(Parameter.set 'Duration_Stretch {voice.tract / voice.speed:.3f})"]
    for text, file in zip(texts, files, strict=True):
        quoted = text.replace("\\", " ").replace('"', " ")  # the text is data inside of a program of Scheme
        lines += [f'(set! said (utt.synth (Utterance Text "{quoted}")))', f'(utt.save.wave said "{file}" \'riff)']
    script.write_text("\n".join(lines) + "\n", "utf-8")
    _run(["festival", "-b", str(script)], "", voice)


def _read(file: Path, voice: Voice, rate: int) -> np.ndarray:
    import soundfile
    import soxr  # type: ignore[import-untyped]

    try:
        wave, native = soundfile.read(file, dtype="float32")
    except (soundfile.LibsndfileError, OSError):
        raise UsageError(f"{voice.engine} said nothing as '{voice.name}': is that voice installed?") from None
    # Played faster, a recording has all its frequencies higher; the engine was asked to speak as much slower.
    wave = soxr.resample(wave, native * voice.tract, rate).astype(np.float32)
    limited: np.ndarray = wave.clip(-1.0, 1.0)
    return limited
