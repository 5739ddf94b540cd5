"""The card of a pretrained encoder: what it learnt from, what it reached, beside a simple method; and its picture."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lanista import plots
from lanista.files import write_bytes, write_text
from lanista.perception.head import Answer
from lanista.perception.recogniser import Recogniser
from lanista.perception.task import Splits, Task


def write_card(
    folder: Path,
    task: Task,
    splits: Splits,
    model: Recogniser,
    curve: Sequence[Mapping[str, float]],
    answers: Mapping[str, Sequence[Sequence[Answer]]],
    about: Mapping[str, Any],
) -> None:
    """Write `README.md` and `picture.png`.

    Args:
        folder: of the encoder.
        task: what it was trained on.
        splits: its examples.
        model: with the best weights.
        curve: an entry an epoch: "epoch", "seconds", "loss", "valid".
        answers: part of the tests -> what was answered.
        about: as saved in `encoder.json`.
    """
    write_bytes(folder / "picture.png", _picture(task, splits, curve, answers))
    write_text(folder / "README.md", _text(task, splits, model, about))


@plots.drawing()
def _picture(
    task: Task,
    splits: Splits,
    curve: Sequence[Mapping[str, float]],
    answers: Mapping[str, Sequence[Sequence[Answer]]],
) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.image import imsave

    figure = Figure(figsize=(12, 4 + 6 * len(answers)), dpi=90, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    parts = figure.subfigures(1 + len(answers), 1, height_ratios=[4, *[6] * len(answers)], squeeze=False)[:, 0]
    left, right = parts[0].subplots(1, 2)
    epochs = [point["epoch"] for point in curve]
    left.plot(epochs, [point["loss"] for point in curve], color="tab:gray")
    left.set(xlabel="epoch", ylabel="training loss")
    right.plot(epochs, [point["valid"] for point in curve], color="tab:blue", marker=".")
    right.set(xlabel="epoch", ylabel=f"{task.measure.replace('_', ' ')} on validation")
    for axes in (left, right):
        axes.grid(alpha=0.3)
    for space, (part, answered) in zip(parts[1:], answers.items(), strict=True):
        space.suptitle(f"{task.name}: {part} ({len(answered):,} examples)", fontsize=11)
        task.draw(space, splits.tests[part], answered, splits)
    kept = io.BytesIO()
    # `savefig` would draw twice, once for the layout alone.
    canvas.draw()  # type: ignore[no-untyped-call]
    imsave(kept, canvas.buffer_rgba(), format="png", dpi=90)  # type: ignore[no-untyped-call]
    return kept.getvalue()


def _text(task: Task, splits: Splits, model: Recogniser, about: Mapping[str, Any]) -> str:
    encoder, baseline = model.encoder, about["baseline"]
    parameters = sum(value.numel() for value in encoder.parameters())
    lines = [
        f"# {encoder.name} trained on {about['task']}",
        "",
        f"An encoder of {task.modality}s for Lanista: arrays of shape {encoder.shape} to {encoder.dim} features, "
        f"{parameters:,} parameters. The head that it was trained with lies beside it.",
        "",
        "## What it reached",
        "",
        f"| examples | | {task.measure.replace('_', ' ')} | {baseline['name']} | all measures |",
        "|---|---|---|---|---|",
    ]
    for part, scores in about["tests"].items():
        simple = baseline["scores"].get(part, {}).get(task.measure)
        shown = ", ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in scores.items())
        beside = "-" if simple is None else f"{simple:.4f}"
        lines.append(f"| {part} | {len(splits.tests[part]):,} | {scores[task.measure]:.4f} | {beside} | {shown} |")
    lines += [
        "",
        f"{'Lower' if task.lower_is_better else 'Higher'} is better. The weights are those with the best validation "
        f"({about['valid']:.4f} on {len(splits.valid):,} examples, none of them trained on or tested on); the tests "
        "were looked at once, at the end.",
        "",
        "![curve and predictions](picture.png)",
        "",
        "## What it learnt from",
        "",
        *[f"- {line}" for line in about["data"]],
        *([f"- It began from the encoder `{about['begun_from']}`."] if about["begun_from"] else []),
        f"- {about['examples']:,} examples trained on, {about['epochs']} epochs, {about['seconds'] / 60:.1f} minutes, "
        f"seed {about['seed']}; {about['stopped']}.",
        "",
        "## Use",
        "",
        "```",
        f"lanista recognise {'FOLDER'} {'FILE' if task.modality != 'text' else 'TEXT'}",
        "```",
        "```python",
        "from lanista.perception.encoder import load_encoder",
        "",
        'encoder = load_encoder("FOLDER")  # a torch.nn.Module; encoder.dim features',
        "```",
        "",
    ]
    return "\n".join(lines)
