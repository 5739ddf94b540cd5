"""Agents that fork, flood, sleep, exit, leave children and write to files that are not theirs, in a tournament."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from killing import Launcher

from lanista.arena.store import Store
from lanista.cli.main import main

VANDALS = '''
"""Each plays its first legal move, once it has done its harm."""
import os, subprocess, sys, time
from pathlib import Path
from lanista.envs.core import Choice


class Plain:
    def act(self, turn, memory=None):
        self.harm()
        return Choice(turn.legal.argmax(axis=1))

    def harm(self):
        pass


class Floods(Plain):
    def harm(self):
        for stream in (1, 2):
            for _ in range(64):
                os.write(stream, b"x" * (1 << 16))


class Sleeps(Plain):
    def harm(self):
        time.sleep(3600)


class Exits(Plain):
    def harm(self):
        os._exit(3)


class Leaves(Plain):
    """Leaves a child in its group, one in a session of its own, and a grandchild whose parent is gone."""

    def harm(self):
        if not hasattr(self, "left"):
            self.left = subprocess.Popen(["sleep", "3600"])
            subprocess.Popen(["sleep", "3600"], start_new_session=True)
            subprocess.Popen(["sh", "-c", "setsid sleep 3600 & exit"]).wait()


class Looks(Plain):
    """Writes into whatever file of its parent's it finds open."""

    def harm(self):
        for name in os.listdir("/proc/self/fd"):
            try:
                place = os.readlink(f"/proc/self/fd/{name}")
                if "sqlite" in place:
                    os.write(int(name), b"scribble")
            except OSError:
                pass
        for name in os.listdir("/proc/self/fd"):
            if os.path.exists(f"/proc/self/fd/{name}") and "sqlite" in os.readlink(f"/proc/self/fd/{name}"):
                raise SystemExit("it has the store in its hands")

'''
REASONS = {"Sleeps": "gave no answer within 2 seconds", "Exits": "exited with code 3"}


@pytest.fixture(scope="module")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    with Launcher(tmp_path_factory.mktemp("said"), "lanista.cli.tournament", "lanista.arena.tournament") as found:
        yield found


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "vandals.py").write_text(VANDALS)
    monkeypatch.chdir(tmp_path)


def command(name: str) -> list[str]:
    vandal = f"py:{Path('vandals.py').absolute()}:{name}?seconds=2"
    # From the start: after an opening the other one could win before the vandal has to move.
    words = ["tournament", "--game", "tictactoe", vandal, "first-legal", "--games", "2", "--opening-plies", "0"]
    return [*words, "--db", "t.sqlite"]


@pytest.mark.parametrize(
    "name",
    [*(pytest.param(name, marks=pytest.mark.thorough) for name in ("Floods", "Sleeps")), "Exits", "Leaves", "Looks"],
)
def test_a_vandal_loses_at_most_its_own_games(name: str, launcher: Launcher) -> None:
    words = [word if word != "t.sqlite" else str(Path("t.sqlite").absolute()) for word in command(name)]
    done = launcher.warm(*words)
    assert done.wait() == 0 and "Traceback" not in done.said, done.said
    done.leaves_nobody()
    with Store("t.sqlite", write=False) as store:
        reasons = {game.reason for game in store.games()}
        assert store.count() == 2
    assert reasons == {"end"} if name not in REASONS else all(REASONS[name] in each for each in reasons), reasons
    assert main(["verify", "t.sqlite"]) == 0


def test_a_killed_tournament_takes_along_what_its_agents_began_in_their_groups(launcher: Launcher) -> None:
    words = [word if word != "t.sqlite" else str(Path("t.sqlite").absolute()) for word in command("Sleeps")]
    going = launcher.warm(*words)
    while not going.kin() and going.code is None:
        time.sleep(0.01)
    going.kill()
    going.leaves_nobody()


def test_a_store_that_an_agent_has_written_into_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """No sandbox: an agent can spoil what its user can. It is found out when the store is opened again."""
    assert main(command("Plain")) == 0
    with Path("t.sqlite").open("r+b") as store:
        store.seek(4096)
        store.write(bytes(range(256)) * 32)
    capsys.readouterr()
    with contextlib.suppress(OSError):
        Path("t.sqlite-wal").unlink()
    assert main(command("Plain")) == 2
    said = capsys.readouterr().err
    assert "t.sqlite" in said and len(said.splitlines()) == 1 and "--debug" not in said
