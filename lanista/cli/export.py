"""Write a trained agent as an ONNX file, for programs that have neither Lanista nor torch.

Example:
    lanista export runs/first --onnx agent.onnx
    lanista export runs/speakers --role speaker --onnx speaker.onnx
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from lanista.cli._printing import print_json
from lanista.errors import UsageError
from lanista.files import claim_file


@dataclass(frozen=True)
class Options:
    """Which agent, and where to."""

    agent: Annotated[Positional[str], arg(metavar="AGENT", help_behavior_hint="")]
    """An agent's folder, a run, or the name of a game for which an agent comes with Lanista."""
    onnx: Annotated[Path | None, arg(metavar="FILE")] = None
    """The file to write."""
    role: str = ""
    """Of an agent with a network for each role: whose."""
    json: bool = False
    """Print JSON."""


def run(options: Options) -> int:
    """Write the file and say how near its answers are to torch's."""
    if options.onnx is None:
        raise UsageError("say where to: --onnx agent.onnx")
    from lanista.agents.contestant import trained_folder
    from lanista.agents.onnx_file import export_onnx  # imports torch: after the words are right

    folder = trained_folder(options.agent)
    if claim_file(options.onnx).resolve().parent == folder.resolve():
        raise UsageError(f"{options.onnx} lies among the agent's own files; name another place")
    difference = export_onnx(folder, options.onnx, options.role)
    size = options.onnx.stat().st_size
    if options.json:
        print_json({"file": str(options.onnx), "bytes": size, "greatest_difference": difference})
    else:
        print(f"{options.onnx}: {size / 2**20:.1f} MB; its answers differ from torch's by {difference:.1g} at most")
    return 0
