"""Dialogues with many processes at a time: each ends by itself, whatever the others do."""

from __future__ import annotations

import pytest

from lanista.agents.line_process import Dialogue, LineProcess, converse
from lanista.agents.processes import ProcessError

ECHO = "while read word; do echo hm; echo a $word; done"


def asked(process: LineProcess, times: int, log: list[int | str]) -> Dialogue[None]:
    """Ask so often; the process is ended and begun anew on the way."""
    try:
        for number in range(times):
            if not process.running:
                process.begin()
            process.send(f"q{number}", seconds=3, what="answer")
            while (yield) != f"a q{number}":
                pass
            log.append(number)
            if number == 2:
                process.end()
    except ProcessError as failure:
        log.append(str(failure))
        process.end()


@pytest.mark.thorough
def test_all_are_heard_and_none_waits_for_another() -> None:
    programs = [*[ECHO] * 4, "sleep 100", "read word; exit 3", "read word; echo a q0; sleep 100"]
    processes = [LineProcess(["/bin/sh", "-c", program]) for program in programs]
    logs: list[list[int | str]] = [[] for _ in processes]
    converse({process: asked(process, 6, log) for process, log in zip(processes, logs, strict=True)})
    for process in processes:
        process.end()
    late = "gave no answer within 3 seconds"
    assert logs[:4] == [list(range(6))] * 4
    assert logs[4:] == [[late], ["exited with code 3"], [0, late]]
