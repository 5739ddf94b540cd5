"""Repositories of the Hugging Face hub, `hf:org/name`: fetched as data only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lanista.errors import UsageError
from lanista.plugs import one_line, required

HUB = "hf:"


def fetched(name: str, files: Sequence[str]) -> Path:
    """The folder of a repository that was fetched from the hub, or is here already.

    Args:
        name: as in "hf:org/name".
        files: what is fetched of it, as far as it is there.

    Raises:
        UsageError: huggingface_hub is not installed, or there is no such repository.
    """
    required("huggingface_hub", "perception", name)
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name.removeprefix(HUB), allow_patterns=list(files)))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise UsageError(f"{name} cannot be had from the hub: {one_line(error)}") from None
