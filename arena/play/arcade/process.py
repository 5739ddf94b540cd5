"""Run as a program: one real-time game and its clock. It is told by its standard input, and shows by its output.

The first line is the settings as JSON: `{"game": ..., "seats": [...], "seed": ...}`; then come messages (see
`arcade.messages`). Frames go out only while the browser keeps up: those it has no time for are never drawn.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import queue
import sys
import threading
import time
from collections import deque
from typing import Any

import numpy as np

from lanista.arena.play.arcade import messages
from lanista.arena.play.arcade.looking import Covered, Looking, Smoothed, can_be_explained, shows_looks
from lanista.arena.play.arcade.machine import Machine
from lanista.arena.play.arcade.messages import ALIVE, BETWEEN, BINARY, KEYS, NOTE, ORDER, SAY, SEEN, TEXT, Stage, State
from lanista.arena.play.arcade.pads import action_names
from lanista.arena.play.arcade.pictures import Pictures
from lanista.envs.core import Array
from lanista.envs.instructed import Sound
from lanista.errors import UsageError
from lanista.plugs import one_line

UNSEEN = 12  # frames on their way to the browser, at most: 0.2 s
PIPE = 1 << 20  # bytes that the pipe to the server holds
SLIP = 0.1  # seconds behind, after which the game goes on from now instead of hurrying
SILENCE = 128  # of the samples of a sound
BEAT = 1.0  # seconds; as often the server hears that we are there


class Cabinet:
    """A machine with its clock, its keys and its messages."""

    def __init__(self, settings: dict[str, Any], sink: Any) -> None:
        """Load the game and its agents.

        Args:
            settings: see the module.
            sink: a raw binary file.

        Raises:
            UsageError: as `Machine` does.
        """
        self._sink, self._lock = sink, threading.Lock()
        self.state = State("loading")
        self._seed = int(settings["seed"])
        self.machine = Machine(settings["game"], settings["seats"], self._seed)
        self._people = [player for player, pad in enumerate(self.machine.pads) if pad is not None]
        self._masks = [0] * len(self.machine.pads)
        self._taps = [0] * len(self.machine.pads)  # pressed since the last frame, if only for a moment
        self._orders: queue.SimpleQueue[tuple[int, int]] = queue.SimpleQueue()
        self._said: queue.SimpleQueue[tuple[str | None, Sound | None]] = queue.SimpleQueue()
        self._notes: dict[str, bytes] = {}  # what the browser was told last, by what it is of
        self._news = threading.Condition()
        self._pictures = Pictures()
        self._shown: Array | None = None  # what the browser was sent last
        self._unseen: deque[int] = deque()
        self._serial, self._said_at = 0, 0.0
        self._times: deque[float] = deque(maxlen=240)
        self._names = action_names(self.machine.screen.spec.name, self.machine.screen.spec)
        self._looking = self._explaining()
        self._begin()

    def _explaining(self) -> Looking | None:
        """What explains the agents' decisions, if they can be explained."""
        agents, told = self.machine.agents, self.machine.screen.spec.instructed
        if told and any(map(can_be_explained, agents)):
            return Looking(lambda: self.machine.decision, Covered(self._show_heat, self._show_heeded))
        if not told and any(map(shows_looks, agents)):
            return Looking(lambda: self.machine.decision, Smoothed(self._show_heat))
        return None

    # --- what is heard, in another thread

    def hear(self, body: bytes) -> None:
        """Take a message that the server has checked."""
        with self._news:
            if body[0] == KEYS and body[1] < len(self._people):
                player, mask = self._people[body[1]], int.from_bytes(body[2:4], "little")
                self._taps[player] |= mask & ~self._masks[player]
                self._masks[player] = mask
            elif body[0] == SEEN:
                seen = int.from_bytes(body[1:5], "little")
                while self._unseen and self._unseen[0] <= seen:
                    self._unseen.popleft()
            elif body[0] == ORDER:
                self._orders.put((body[1], body[2]))
            elif body[0] == SAY:
                self._said.put(messages.instructed(body))
            self._news.notify()

    # --- the loop

    def run(self) -> None:
        """Play until the process ends."""
        due = time.perf_counter()
        while True:
            while not self._orders.empty():
                self._obey(*self._orders.get())
            while not self._said.empty():
                self._instruct(*self._said.get())
            if self.state.stage == "ready" and any(self._taps):
                self._change("playing")
                due = time.perf_counter()
            if self.state.stage != "playing" or (self.machine.waits and not any(self._taps)):
                self._wait()
                due = time.perf_counter()
                continue
            wait = due - time.perf_counter()
            if wait > 0:
                time.sleep(wait)
            elif wait < -SLIP:
                due = time.perf_counter()
            due += 100 / (self.machine.pace * self.state.speed)
            self._frame()

    def _wait(self) -> None:
        """Until something is heard, or it is time for a sign of life."""
        with self._news:
            quiet = self._orders.empty() and self._said.empty()
            if quiet and (self.state.stage not in ("ready", "playing") or not any(self._taps)):
                self._news.wait(BEAT)
        self._beat()

    def _frame(self) -> None:
        """One frame: keys, game, picture."""
        with self._news:
            taps, self._taps = self._taps, [0] * len(self._taps)
            held = taps if self.machine.waits else [a | b for a, b in zip(self._masks, taps, strict=True)]
        try:
            self.machine.frame(held)
        except UsageError as error:
            self._change("over", str(error))
        self._times.append(time.perf_counter())
        self._send_frame()
        if self.machine.over and self.state.stage != "over":
            self._change("over", self._result())
        self._think()
        self._beat()

    def _send_frame(self) -> None:
        """Show the screen, unless the browser is behind."""
        self._serial += 1
        if len(self._unseen) >= UNSEEN:
            return
        pixels, png = self.machine.picture(), b""
        if self._shown is None or self._shown.shape != pixels.shape or not np.array_equal(self._shown, pixels):
            self._shown, png = pixels, self._pictures.png(pixels)
        self._unseen.append(self._serial)
        machine = self.machine
        self._send(BINARY, messages.frame(self._serial, machine.lives, self._fps(), machine.score, png))
        self._send_sound()

    def _send_sound(self) -> None:
        """What is heard in this frame, if the browser wants it and it is not silence."""
        samples = self.machine.sound() if self.state.sound else None
        if samples is not None and (samples != SILENCE).any():
            self._send(BINARY, messages.heard(self._serial, samples))

    def _fps(self) -> float:
        """Frames of the game in the last second or two, a second."""
        now = time.perf_counter()
        if self.machine.waits or len(self._times) < 2 or now - self._times[0] <= 0:
            return 0.0
        while len(self._times) > 2 and now - self._times[0] > 2.0:
            self._times.popleft()
        return (len(self._times) - 1) / (self._times[-1] - self._times[0])

    # --- orders

    def _obey(self, order: int, value: int) -> None:
        stage = self.state.stage
        if order == messages.PAUSE and value and stage == "playing":
            self._change("paused")
        elif order == messages.PAUSE and not value and stage in ("paused", "ready"):
            self._change("playing")
        elif order == messages.RESTART:
            self._seed = (self._seed * 48271 + 1) % 2**31
            self._begin()
        elif order == messages.AGAIN:
            self._begin()
        elif order == messages.STEP and stage in ("playing", "paused") and not self._people:
            if stage == "playing":
                self._change("paused")
            self._frame()
        elif order == messages.SPEED:
            self._change(stage, self.state.words, speed=value)
        elif order == messages.LOOKS and self._looking is not None:
            self._change(stage, self.state.words, heat=bool(value))
        elif order == messages.SOUND and self.machine.sounds:
            self._change(stage, self.state.words, sound=bool(value))
        elif order == messages.ATTACH:
            with self._news:  # the other thread takes from it
                self._unseen.clear()
            self._shown = None
            if stage == "paused" and not self._people:  # it was paused when whoever watched went
                self._change("playing")
            self._send(TEXT, self.state.text().encode())
            for note in tuple(self._notes.values()):
                self._send(NOTE, note)
            self._send_frame()

    def _begin(self) -> None:
        """A new game, of the seed there is now."""
        self.machine.begin(self._seed)
        self._times.clear()
        self._taps = [0] * len(self._taps)
        self._tell_told()
        self._change("ready" if self._people else "playing")
        self._send_frame()
        self._think()

    # --- what the player is told, and thinks of

    def _instruct(self, words: str | None, sound: Sound | None) -> None:
        """Tell the player something else; a game that is over goes on."""
        try:
            self.machine.instruct(words, sound)
        except UsageError as error:
            self._tell_told(str(error))
            return
        self._tell_told()
        self._change("playing" if self.state.stage == "over" else self.state.stage)
        self._send_frame()
        self._think()

    def _tell_told(self, wrong: str = "") -> None:
        if self.machine.told is not None:
            self._note("told", messages.told(self.machine.told, wrong))

    def _think(self) -> None:
        """In games in which an agent is told something: what it will do next, before it does."""
        if self.machine.told is None or self.machine.over:
            return
        try:
            found = self.machine.think()
        except UsageError:  # its frame says that
            return
        if found is None:
            return
        policy = None if found.choice.policy is None else found.choice.policy[0].astype(float).round(4).tolist()
        value = None if found.choice.value is None else round(float(found.choice.value[0]), 3)
        about = {"note": "thought", "names": self._names, "policy": policy, "chosen": found.action, "value": value}
        self._note("thought", json.dumps(about).encode())

    def _show_heeded(self, heeded: dict[str, Any]) -> None:
        self._note("heeded", json.dumps({"note": "heeded", **heeded}).encode())

    def _note(self, name: str, body: bytes) -> None:
        self._notes[name] = body
        self._send(NOTE, body)

    def _change(
        self, stage: Stage, words: str = "", *, speed: int | None = None, heat: bool | None = None,
        sound: bool | None = None,
    ) -> None:  # fmt: skip
        """Another state, which the browser is told."""
        self._times.clear()
        self.state = State(
            stage,
            words,
            self._looking is not None,
            self.state.heat if heat is None else heat,
            self.machine.sounds,
            self.state.sound if sound is None else sound,
            self.state.speed if speed is None else speed,
            self.machine.told is not None and self.machine.told.heard is not None,
        )
        if self._looking is not None:
            shown = stage == "playing" or (self.machine.told is not None and stage == "paused")
            self._looking.switch(self.state.heat and shown)
        self._send(TEXT, self.state.text().encode())

    def _result(self) -> str:
        """How a game ended, with its score."""
        told, steps = self.machine.told, self.machine.frames
        if told is not None and not self.machine.over.startswith("the game broke"):
            took = f"{steps} step{'' if steps == 1 else 's'}"
            if not told.judged:
                return f"It has ended after {took}; nobody judges whether it did that"
            return f"Done in {took}" if max(self.machine.score) > 0 else f"Not done: {self.machine.over} after {took}"
        score = " to ".join(f"{each:g}" for each in np.round(self.machine.score, 2).tolist())
        return f"{self.machine.over[:1].upper()}{self.machine.over[1:]}. Score: {score}"

    # --- what is said

    def _show_heat(self, values: Array) -> None:
        self._send(BINARY, messages.heat(values))

    def _beat(self) -> None:
        if time.monotonic() - self._said_at > BEAT:
            self._send(ALIVE)

    def _send(self, kind: int, body: bytes = b"") -> None:
        with self._lock:
            self._said_at = time.monotonic()
            left = memoryview(messages.packed(kind, body))
            while left:
                left = left[os.write(self._sink, left) :]


def listen(source: Any, cabinet: Cabinet) -> None:
    """Pass on what the server says; its end is ours."""
    while len(head := source.read(BETWEEN.size)) == BETWEEN.size:
        cabinet.hear(source.read(BETWEEN.unpack(head)[0]))
    os._exit(0)


def main() -> None:
    """Be told what is played, and play."""
    source, sink = os.fdopen(os.dup(0), "rb"), os.dup(1)
    os.dup2(2, 1)  # what libraries print must not break into the messages
    with contextlib.suppress(OSError, AttributeError):
        fcntl.fcntl(sink, fcntl.F_SETPIPE_SZ, PIPE)
    settings = json.loads(source.readline())
    try:
        cabinet = Cabinet(settings, sink)
        threading.Thread(target=listen, args=(source, cabinet), name="listening", daemon=True).start()
        cabinet.run()
    except Exception as error:
        words = str(error)
        if not isinstance(error, UsageError):
            words = f"it crashed: {type(error).__name__}: {one_line(error)}"
        os.write(sink, messages.packed(TEXT, State("ended", words[:300]).text().encode()))
        if not isinstance(error, UsageError):
            raise
        sys.exit(1)


if __name__ == "__main__":
    main()
