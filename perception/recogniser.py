"""An encoder with the head it was trained with: files in, answers out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lanista.errors import UsageError
from lanista.files import claim_folder, read_json, write_json
from lanista.perception.encoder import Encoder, check_format, load_encoder
from lanista.perception.head import Answer, Head, head_from
from lanista.perception.weights_file import load_weights, write_weights

FORMAT = 1
ROWS_AT_ONCE = 256


class Recogniser(nn.Module):
    """What is trained on a task; the encoder is what is reused."""

    def __init__(self, encoder: Encoder, head: Head) -> None:
        """Put a head on an encoder."""
        super().__init__()
        self.encoder = encoder
        self.head = head

    def encode(self, observation: Tensor) -> Any:
        """What the head reads of a batch (batch, *shape)."""
        return self.encoder.sequence(observation) if self.head.sequence else self.encoder.features(observation)

    def loss(self, observation: Tensor, targets: Tensor) -> Tensor:
        """Mean loss of a batch; where the head asks for it, of what the encoder makes of the whole too."""
        encoded = self.encode(observation)
        loss: Tensor = self.head.loss(encoded, targets)
        if self.head.sums_up:
            loss = loss + self.head.whole_loss(self.encoder.attended(encoded[0]), targets)
        return loss

    def answers(self, observations: np.ndarray | Tensor, most: int = 1) -> list[list[Answer]]:
        """What it says of each observation (n, *shape): at most `most` answers, the likeliest first."""
        rows = torch.as_tensor(observations)
        was = self.training
        self.eval()
        try:
            with torch.inference_mode():
                parts = [
                    self.head.answers(self.encode(rows[start : start + ROWS_AT_ONCE]), most)
                    for start in range(0, len(rows), ROWS_AT_ONCE)
                ]
        finally:
            self.train(was)
        return [answer for part in parts for answer in part]

    def recognise(self, sources: Sequence[str | Path], most: int = 5) -> list[list[Answer]]:
        """Answers for files, or, where the encoder reads text, for the texts themselves.

        Raises:
            UsageError: a file is missing, damaged or of another kind.
        """
        reader = self.encoder.input
        if reader is None:
            raise UsageError("this encoder does not say how it reads files: it was not made by lanista pretrain")
        return self.answers(np.stack([reader.read(source) for source in sources]), most) if sources else []

    def save(self, folder: Path, **about: Any) -> None:
        """Save both as an encoder folder that has `head.json` and `head.safetensors` too.

        The encoder comes last: its description is what says that the folder is whole.
        """
        claim_folder(folder)
        write_weights(folder / "head.safetensors", self.head.state_dict())
        write_json(folder / "head.json", {"format": FORMAT, **self.head.describe()})
        self.encoder.save_pretrained(folder, **about)


def load_recogniser(path: str | Path) -> Recogniser:
    """Load an encoder folder with its head. No code from it is run.

    Raises:
        UsageError: it is none, is damaged, or has no head.
    """
    folder = Path(path)
    encoder = load_encoder(folder)
    if not (folder / "head.json").exists():
        raise UsageError(f"{folder} is an encoder without a head: it has no head.json")
    about = read_json(folder / "head.json", "encoder folder with a head")
    check_format(about, FORMAT, folder / "head.json")
    options = {key: value for key, value in about.items() if key != "format"}
    head = load_weights(lambda: head_from(options, encoder.dim), folder / "head.safetensors")
    return Recogniser(encoder, head).eval()
