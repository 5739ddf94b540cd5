"""Finding pretrained encoders: a folder, the name of one that comes with Lanista, or a repository of the hub."""

from __future__ import annotations

from pathlib import Path

from lanista.errors import UsageError, unknown
from lanista.files import written_path
from lanista.hub import HUB, fetched
from lanista.perception.encoder import Encoder
from lanista.perception.encoder import load_encoder as load_folder
from lanista.perception.recogniser import Recogniser
from lanista.perception.recogniser import load_recogniser as load_recogniser_folder

SHIPPED = Path(__file__).parent / "shipped"
FILES = ("encoder.json", "head.json", "model.safetensors", "head.safetensors", "README.md")


def shipped() -> list[str]:
    """The names of the encoders that come with Lanista."""
    return sorted(path.parent.name for path in SHIPPED.glob("*/encoder.json"))


def encoder_folder(name: str | Path) -> Path | None:
    """The folder of a pretrained encoder, or None if the words name none.

    Args:
        name: a folder; the name of a shipped encoder; or `hf:org/name`, which is downloaded, as data only.
    """
    words = str(name)
    if words.startswith(HUB):
        return fetched(words, FILES)
    for folder in (written_path(words), SHIPPED / words):
        if (folder / "encoder.json").is_file():
            return folder
    return None


def _found(name: str | Path) -> Path:
    folder = encoder_folder(name)
    if folder is not None:
        return folder
    if Path(name).exists():
        raise UsageError(f"{name} is no encoder folder: it holds no encoder.json")
    raise unknown("pretrained encoder", str(name), shipped())


def load_encoder(name: str | Path) -> Encoder:
    """Load a pretrained encoder, without its head.

    Raises:
        UsageError: there is none of that name, or it is damaged or of a newer format.
    """
    return load_folder(_found(name))


def load_recogniser(name: str | Path) -> Recogniser:
    """Load a pretrained encoder with the head it was trained with.

    Raises:
        UsageError: there is none of that name, it has no head, or it is damaged or of a newer format.
    """
    return load_recogniser_folder(_found(name))
