"""Pretraining, a network of each modality: examples learnt from, against a bare loop of torch with the same network."""

from __future__ import annotations

from lanista.bench.claims import Claim, Verdict, judge
from lanista.bench.race import Lane, Plan, Side, race
from lanista.bench.results import Row
from lanista.errors import UsageError

LEAST = 0.7
TASKS = ("pictures:data=fashion_mnist", "plates", "spoken_words", "topics", "translation")
QUICK_TASKS = ("pictures:data=digits",)


def measure(plan: Plan) -> Row:
    """Race whole updates of each task that has its data on this machine."""
    from lanista.perception.task import make_task

    verdicts, lanes, notes = list[Verdict](), list[Lane](), list[str]()
    for task in QUICK_TASKS if plan.quick else TASKS:
        try:
            make_task(task).load(0)
        except UsageError as error:
            notes.append(f"{task} was not measured: {error}")
            continue
        ours, bound = f"Lanista, {task}", f"bare torch loop, {task}"
        raced = race(
            [
                Side(ours, "lanista.bench.ours.pretraining", {"task": task}, packages=("torch",)),
                Side(bound, "lanista.bench.peers.torch_pretraining", {"task": task}, packages=("torch",)),
            ],
            plan,
        )
        verdicts.append(judge(Claim(f"{task}: times a bare torch loop, the bound", ours, bound, least=LEAST), raced))
        lanes += raced
    notes.append(
        "The task's own encoder, head and batch; the bare loop has its tensors in memory and changes, clips, schedules "
        "and averages nothing; ours does. One thread."
    )
    title = "Pretraining on the tasks' own data: examples learnt from, updates alone, no validation."
    return Row("pretraining", title, "examples", verdicts, lanes, notes)
