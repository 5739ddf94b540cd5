"""The encoder contract: a `torch.nn.Module` from one modality's array to features, found by its file's name.

An encoder is trained once and reused anywhere: in Lanista's agents, as an SB3 features extractor, in an RLlib module,
in plain torch. It is saved as data: `encoder.json` and `model.safetensors`.
"""

from __future__ import annotations

import inspect
import math
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self, cast

import numpy as np
from gymnasium import spaces
from torch import Tensor, nn

from lanista.errors import UsageError
from lanista.files import claim_folder, read_json, write_json
from lanista.perception.input import Input, input_from
from lanista.perception.weights_file import load_weights, write_weights
from lanista.plugs import call, parse_options, plug_class, plugs

ENCODERS = "lanista.perception.encoders"
FORMAT = 1


class Encoder(nn.Module):
    """An array of one modality -> features.

    A subclass lies alone in its file of `perception/encoders`; its `__init__` takes `shape` and keyword options with
    defaults, calls `super().__init__(shape, options, scale)` and sets `dim`; it computes `features`, or, if it reads
    along time, `sequence`.

    Attributes:
        dim: the size of the features.
        shape: the shape of one observation.
        input: how files and raw things become observations, where that is known.
        any_length: whether the same weights read observations of any length along time.
        film: how many channels of its maps something else may scale and shift, by `filmed`; 0: none.
    """

    name: ClassVar[str] = ""  # its file's
    any_length: ClassVar[bool] = False
    film: int = 0
    modality: ClassVar[str] = ""  # the only one it is for: "picture", "sound" or "text"; any array if empty
    dim: int

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.name = cls.__module__.rpartition(".")[2]

    def __init__(self, shape: tuple[int, ...], options: Mapping[str, Any], scale: float) -> None:
        """Begin an encoder.

        Args:
            shape: of one observation.
            options: what it was made with, to be saved.
            scale: the input is multiplied by it, as 1/255 for pictures of bytes.
        """
        super().__init__()
        self.shape = tuple(shape)
        self.options = dict(options)
        self.scale = scale
        self.input: Input | None = None

    def prepare(self, observation: Tensor) -> Tensor:
        """Numbers of any kind -> scaled float32."""
        values = observation.float()
        return values if self.scale == 1.0 else values * self.scale

    def features(self, observation: Tensor) -> Tensor:
        """Features of a batch.

        Args:
            observation: (batch, *shape), any dtype.

        Returns:
            (batch, dim).
        """
        raise NotImplementedError

    def filmed(self, observation: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Features as something else wants them: channels of the encoder's maps are scaled by 1 + `scale` and shifted.

        Feature-wise linear modulation (Perez et al. 2018, arXiv:1709.07871, equation 2). Zeros give `features`.

        Args:
            observation: (batch, *shape).
            scale, shift: (batch, film).

        Returns:
            (batch, dim).

        Raises:
            UsageError: nothing can be told to this encoder.
        """
        raise UsageError(f"the encoder '{self.name}' has no maps that could be scaled and shifted")

    def sequence(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """Features along time: (batch, *shape) -> (batch, time, dim) and the lengths that count (batch,), int64.

        Raises:
            UsageError: this encoder does not read along time.
        """
        raise UsageError(f"the encoder '{self.name}' gives one row of features, not one a time step")

    def attended(self, steps: Tensor) -> Tensor:
        """What `features` makes of what `sequence` gave: (batch, time, dim), all of which counts -> (batch, dim).

        Raises:
            UsageError: the features of the whole are not made of those along time.
        """
        raise UsageError(f"the encoder '{self.name}' does not sum up its features along time")

    def forward(self, observation: Tensor) -> Tensor:
        """(batch, *shape) -> (batch, dim)."""
        return self.features(observation)

    def layer_groups(self) -> list[list[nn.Parameter]]:
        """The parameters from the input to the output, a group a layer, for learning rates of their own.

        A child module that is a list gives a group for each of its members.
        """
        groups: list[list[nn.Parameter]] = []
        for child in self.children():
            layers = child if isinstance(child, nn.ModuleList | nn.Sequential) else [child]
            groups += [found for layer in layers if (found := list(layer.parameters()))]
        return groups

    def freeze(self, frozen: bool = True) -> Self:
        """Keep the weights as they are while what stands on the features learns."""
        return self.requires_grad_(not frozen)

    def describe(self) -> dict[str, Any]:
        """What `encoder_from` needs to make the same encoder, as plain data."""
        about = {"encoder": self.name, "shape": list(self.shape), "scale": self.scale, "options": self.options}
        return about if self.input is None else {**about, "input": self.input.describe()}

    def save_pretrained(self, folder: str | Path, **about: Any) -> None:
        """Save the encoder as `encoder.json` and `model.safetensors`.

        Args:
            folder: made if it is not there.
            about: what should be known of its training; JSON values.
        """
        target = claim_folder(Path(folder))
        write_weights(target / "model.safetensors", self.state_dict())
        write_json(target / "encoder.json", {"format": FORMAT, **self.describe(), "training": about})

    @staticmethod
    def from_pretrained(folder: str | Path) -> Encoder:
        """As `load_encoder`."""
        return load_encoder(folder)

    def push_to_hub(self, repository: str, **options: Any) -> str:
        """Save the encoder to a repository of the Hugging Face hub, made if it is not there.

        The mixin of huggingface_hub is not used: it writes a `config.json` that could be cut short by a kill.

        Args:
            repository: as in "me/my-encoder".
            options: of `huggingface_hub.HfApi.upload_folder`, as `commit_message`.

        Returns:
            The address of the commit.
        """
        from huggingface_hub import HfApi

        hub = HfApi()
        hub.create_repo(repository, exist_ok=True)
        with tempfile.TemporaryDirectory() as temporary:
            self.save_pretrained(temporary)
            return str(hub.upload_folder(repo_id=repository, folder_path=temporary, **options))


def encoders() -> list[str]:
    """The ids of the encoders."""
    return plugs(ENCODERS)


def encoder_class(name: str) -> type[Encoder]:
    """The encoder class in the file of that name."""
    return plug_class(ENCODERS, "encoder", name, Encoder)


def build_encoder(encoder: str, space: spaces.Box) -> Encoder:
    """Make a fresh encoder for a space from its string, such as `board_resnet:channels=64`.

    Args:
        encoder: `id` or `id:option=value,...`.
        space: of one observation; byte pictures are scaled to [0, 1], 16-bit sounds to [-1, 1].
    """
    name, _, options = encoder.partition(":")
    description = {
        "encoder": name,
        "shape": list(space.shape),
        "scale": scale_of(space),
        "options": {**_vocabulary(name, space), **parse_options(options, encoder)},
    }
    return encoder_from(description)


def scale_of(space: spaces.Box) -> float:
    """What brings a space's values to [0, 1] if they are bytes of pictures, to [-1, 1] if of sounds; else 1."""
    pictures = space.dtype == np.uint8 and float(space.high.max()) == 255.0
    sounds = space.dtype == np.int16 and float(space.high.max()) == 32767.0
    return 1 / 255 if pictures else 1 / 32768 if sounds else 1.0


def _vocabulary(name: str, space: spaces.Box) -> dict[str, Any]:
    """The option `vocabulary` of encoders that have one, from the greatest token of the space."""
    if "vocabulary" not in inspect.signature(encoder_class(name)).parameters:
        return {}
    if not np.issubdtype(space.dtype, np.integer) or space.low.min() < 0:
        raise UsageError(f"{name} reads tokens, whole numbers from 0 on, and {space} has others")
    return {"vocabulary": int(space.high.max()) + 1}


def encoder_from(description: Mapping[str, Any]) -> Encoder:
    """Make an encoder from what `Encoder.describe` gave; every field is checked.

    Raises:
        UsageError: a field is missing or of the wrong kind, or the encoder or an option is unknown.
    """
    name, shape = description.get("encoder"), description.get("shape")
    scale, options = description.get("scale", 1.0), description.get("options", {})
    if not isinstance(name, str) or not isinstance(options, dict):
        raise UsageError("an encoder's description needs 'encoder', its id, and 'options', an object")
    good_shape = isinstance(shape, list) and 1 <= len(shape) <= 4 and all(type(s) is int and s > 0 for s in shape)
    if not good_shape or math.prod(cast(list[int], shape)) > 2**26 or type(scale) not in (int, float):
        raise UsageError(f"the encoder '{name}' has no shape or scale that can be: {shape}, {scale}")
    size = tuple(cast(list[int], shape))
    made: Encoder = call(
        encoder_class(name), f"the encoder '{name}'", {"shape": size, "scale": float(scale), **options}
    )
    if "input" in description:
        if not isinstance(description["input"], dict):
            raise UsageError("an encoder's 'input' must be an object")
        made.input = input_from(description["input"])
        if made.input.space.shape != size:
            raise UsageError(f"the encoder '{name}' reads {size}, and its 'input' gives {made.input.space.shape}")
        vocabulary = made.options.get("vocabulary")
        if vocabulary is not None and made.input.space.high.max() >= vocabulary:
            raise UsageError(f"the encoder '{name}' knows {vocabulary} tokens, and its 'input' gives more")
    return made


def lengthened(encoder: Encoder, reader: Input) -> Encoder:
    """An encoder that reads any length, with its weights, for what another input of its modality gives.

    Raises:
        UsageError: it reads one length only.
    """
    if not encoder.any_length:
        raise UsageError(f"{encoder.name} reads arrays {encoder.shape}, and the task gives {reader.space.shape}")
    about = {**encoder.describe(), "shape": list(reader.space.shape), "input": reader.describe()}
    made = encoder_from(about)
    made.load_state_dict(encoder.state_dict())
    return made


def load_encoder(path: str | Path) -> Encoder:
    """Load an encoder folder. No code from it is run; shapes are checked before anything is allocated.

    Raises:
        UsageError: it is no encoder folder, is damaged, or is of a newer format.
    """
    folder = Path(path)
    about = read_json(folder / "encoder.json", "encoder folder")
    check_format(about, FORMAT, folder / "encoder.json")
    return load_weights(lambda: encoder_from(about), folder / "model.safetensors")


def check_format(about: Mapping[str, Any], known: int, path: Path) -> None:
    """Refuse a file of a newer format than this Lanista knows."""
    version = about.get("format")
    if type(version) is not int or version < 1:
        raise UsageError(f"{path} names no format version, so it was not written by Lanista")
    if version > known:
        raise UsageError(f"{path} has format {version}, this Lanista reads up to {known}: update Lanista")
