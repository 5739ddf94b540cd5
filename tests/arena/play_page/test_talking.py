"""An agent on the page is told something else: by messages, and in its process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("nicegui", reason="the page needs NiceGUI: pip install 'lanista[play]'")
pytest.importorskip("minigrid", reason="BabyAI needs: pip install 'lanista[minigrid]'")

import torch
from test_real_time import Viewer, run

from lanista.agents.artifact import save_agent
from lanista.agents.policy_network import build_network
from lanista.arena.play.arcade import messages
from lanista.arena.play.arcade.hall import Hall
from lanista.arena.play.arcade.looking import Covered, heat_of
from lanista.arena.play.arcade.machine import Machine
from lanista.arena.play.arcade.messages import AGAIN, ORDER, PAUSE, RESTART, SAY, SPEED, STEP
from lanista.arena.play.arcade.pads import action_names, pad_of, same_game
from lanista.arena.play.arcade.players import offered, players_of
from lanista.arena.play.roster import Roster
from lanista.arena.play.spoken_instructions import grammar
from lanista.envs.catalogue import make
from lanista.envs.doors._instruction_grammar import Act, parsed
from lanista.envs.instructed import Instruction, Sound, View
from lanista.errors import UsageError
from lanista.perception.data.spoken_instructions import WORDS, draw_phrase

pytestmark = pytest.mark.long

LEVEL = "babyai:GoToLocalS5N2"
HEARD = f"{LEVEL}?mission=speech&speakers=1&voices=valid"


def untaught(folder: Path, game: str) -> Path:
    """An agent that has learned nothing, and is sure of what it does all the same, as a run's folder."""
    torch.manual_seed(0)
    network = build_network(make(game).spec).eval()
    torch.nn.init.normal_(network.policy.weight, 0, 0.5)
    save_agent(folder / "agent", network, game, "float32", {})
    return folder


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that reads."""
    return untaught(tmp_path_factory.mktemp("runs") / "reader", f"{LEVEL}?mission=text")


# --- messages


@pytest.mark.parametrize("words", ["go to the red ball", "", None, "geh zum Bällchen"])
@pytest.mark.parametrize("sound", [None, Sound(np.arange(-5, 900, dtype=np.int16), 8000)])
def test_what_is_told_arrives_as_it_was(words: str | None, sound: Sound | None) -> None:
    body = messages.instruction(words, sound)
    told, heard = messages.instructed(body)
    assert told == words and (heard is None) == (sound is None)
    if heard is not None and sound is not None:
        assert heard.rate == sound.rate and np.array_equal(heard.wave, sound.wave)
    assert messages.from_browser(body) is None, "that is the server's own to send"
    assert messages.from_browser(bytes((SAY, 0, 0))) is None
    for order, value in ((STEP, 0), (AGAIN, 0), (SPEED, 25), (SPEED, 200)):
        assert messages.from_browser(bytes((ORDER, order, value))) is not None
    assert messages.from_browser(bytes((ORDER, STEP, 1))) is None


def test_a_sound_is_told_as_some_bars() -> None:
    wave = np.zeros(20_000, np.int16)
    wave[10_000:] = 16_384
    note = json.loads(messages.told(Instruction("go", heard=wave, rate=8000), "no"))
    assert note["seconds"] == 2.5 and len(note["wave"]) == messages.WAVE and note["wrong"] == "no"
    assert set(note["wave"][:59]) == {0} and set(note["wave"][61:]) == {50}


# --- games and machines


def test_levels_are_offered_with_their_keys_and_agents_of_all_their_senses(reader: Path) -> None:
    spec = make(LEVEL).spec
    assert LEVEL in dict(offered()) and "babyai:BossLevel" in dict(offered())
    assert action_names(LEVEL, spec) == ["left", "right", "forward", "take", "drop", "use", "done"]
    assert pad_of(LEVEL, spec).waits
    cart = make("gym:MountainCar-v0").spec
    assert action_names("gym:MountainCar-v0", cart) == ["left", "nothing", "right"]
    assert same_game(LEVEL, f"{LEVEL}?mission=speech") and not same_game(LEVEL, "babyai:GoToLocal")
    assert not same_game(LEVEL, "gym:GoToLocalS5N2")
    roster = Roster(runs=reader.parent)
    assert players_of(roster, LEVEL, spec)[0] == (reader.as_posix(), "reader, one of your runs, mission=text")


def test_an_agent_thinks_before_it_plays_and_plays_what_it_thought(reader: Path) -> None:
    ahead, plain = (Machine(LEVEL, [f"{reader}?temperature=1"], 1) for _ in range(2))
    for machine in (ahead, plain):
        machine.begin(5)
    assert ahead.told is not None and ahead.told.own and ahead.told == plain.told
    for _ in range(25):
        thought = ahead.think()
        assert thought is not None and thought is ahead.think() and thought.choice.policy is not None
        ahead.frame([0])
        plain.frame([0])
        assert plain.decision is not None and plain.decision.action == thought.action
        assert np.array_equal(ahead.picture(), plain.picture())
        if ahead.over:
            break
    ahead.close()
    plain.close()


def test_what_is_told_holds_in_later_games_until_their_own_missions_are_wanted(reader: Path) -> None:
    machine = Machine(LEVEL, [str(reader)], 1)
    machine.begin(5)
    first = machine.think()
    machine.instruct("go to the purple box")
    second = machine.think()
    assert first is not None and second is not None and second is not first
    assert not np.array_equal(first.turn.observation["mission"], second.turn.observation["mission"])
    machine.begin(6)
    assert machine.told is not None and machine.told.words == "go to the purple box" and not machine.told.own
    with pytest.raises(UsageError, match="has words"):
        machine.instruct("?")
    assert machine.told.words == "go to the purple box"
    while not machine.over:
        machine.frame([0])
    machine.instruct(None)
    assert machine.told.own and not machine.over and machine.frames == 0 and machine.think() is not None
    machine.close()
    other = Machine("gym:FrozenLake-v1", ["random"], 1)
    other.begin(1)
    assert other.told is None
    with pytest.raises(UsageError, match="nothing can be told"):
        other.instruct("jump")
    other.close()


def test_heat_lies_on_the_cells_of_the_level_that_were_seen(reader: Path) -> None:
    places = np.stack(np.meshgrid(np.arange(2), np.arange(-1, 2), indexing="ij"), -1)
    heat = heat_of(np.array([[9.0, 4.0, -3.0], [9.0, 2.0, 1.0]]) / 2, View(places, (4, 3)))
    assert heat.shape == (4, 3) and heat[0, :2].tolist() == pytest.approx([4 / 9, 0])
    assert heat[1, :2].tolist() == pytest.approx([2 / 9, 1 / 9]) and not heat[2:].any()
    assert heat_of(np.array([[0.1, 0.0]]), None).max() == pytest.approx(0.1), "where nothing matters, nothing is hot"
    machine = Machine(LEVEL, [str(reader)], 1)
    machine.begin(5)
    thought = machine.think()
    shown: list[Any] = []
    assert thought is not None
    Covered(shown.append, shown.append)(thought)
    assert machine.told is not None and shown[0].shape == (5, 5)
    assert len(shown[1]["words"]) == len(machine.told.words.split()) and shown[1]["stretches"] == []
    machine.close()


# --- processes and sockets


class Listener(Viewer):
    """A browser's side, that reads notes too."""

    def __init__(self, socket: Any) -> None:
        super().__init__(socket)
        self.notes: dict[str, Any] = {}
        self.thoughts = 0

    async def read(self) -> None:
        await super().read()
        if "note" in self.state:
            note = str(self.state["note"])
            self.notes[note], self.thoughts = self.state, self.thoughts + (note == "thought")
            self.state = self.stood
        self.stood = self.state

    stood: dict[str, object] = {"stage": ""}


@pytest.mark.thorough
def test_a_watched_agent_is_told_stepped_and_shown_the_same_level_again(reader: Path) -> None:
    async def work(hall: Hall, connect: Callable[..., Any]) -> None:
        cabinet = hall.open(LEVEL, [f"{reader}?temperature=1"])
        async with connect(cabinet) as socket:
            viewer = Listener(socket)
            await viewer.until(lambda: {"given", "thought"} <= viewer.notes.keys())
            await viewer.order(PAUSE, 1)
            await viewer.order(AGAIN, 0)
            await viewer.order(PAUSE, 1)
            await viewer.order(messages.LOOKS, 1)
            # What is told takes another way than orders, and could be there before them.
            await viewer.until(lambda: viewer.state.get("heat") is True and viewer.state["stage"] == "paused")
            cabinet.tell("go to the red ball")
            await viewer.until(lambda: not viewer.notes["given"]["own"])  # which may have the same words
            assert viewer.notes["given"]["text"] == "go to the red ball" and cabinet.state.stage == "paused"
            await viewer.until(lambda: "heeded" in viewer.notes and viewer.heats > 0)
            assert len(viewer.notes["heeded"]["words"]) == 5
            for _ in range(3):
                before = viewer.thoughts
                await viewer.order(STEP, 0)
                while viewer.thoughts == before and viewer.state["stage"] != "over":
                    await viewer.read()
                assert viewer.thoughts <= before + 1, "one step, one thought"
                assert sum(viewer.notes["thought"]["policy"]) == pytest.approx(1, abs=1e-3)
            cabinet.tell("x" * 2500)
            await viewer.until(lambda: bool(viewer.notes["given"]["wrong"]))
            assert "at most 2,000 characters, not 2,500" in viewer.notes["given"]["wrong"]
            assert viewer.notes["given"]["text"] == "go to the red ball"
            cabinet.tell(None)
            await viewer.until(lambda: bool(viewer.notes["given"]["own"]))
            mission = viewer.notes["given"]["text"]
            await viewer.order(AGAIN, 0)
            cabinet.tell("go")
            cabinet.tell(None)
            await viewer.until(lambda: not viewer.notes["given"]["own"])
            await viewer.until(lambda: bool(viewer.notes["given"]["own"]))
            assert viewer.notes["given"]["text"] == mission, "the same level"
            await viewer.order(SPEED, 200)
            await viewer.until(lambda: viewer.state["stage"] == "over")
            assert str(viewer.state["words"]).startswith(("Done in", "Not done: the time is up after"))
            cabinet.tell("go to the box")
            await viewer.until(lambda: viewer.state["stage"] == "playing")
            await viewer.order(RESTART, 0)
        async with connect(cabinet) as socket:  # loaded again
            again = Listener(socket)
            await again.until(lambda: {"given", "thought"} <= again.notes.keys())
            assert again.notes["given"]["text"] == "go to the box"

    run(work)


# --- what is understood of what is said


def test_what_can_be_said_has_words_that_are_known_and_means_what_levels_judge() -> None:
    phrases = grammar()
    assert {word for phrase in phrases for word in phrase.split()} == set(WORDS)
    assert phrases["grab a red ball"].words == phrases["pick up the red ball"].words == "pick up the red ball"
    assert phrases["put the key beside the door"].words == "put the key next to the door"
    for phrase, meaning in phrases.items():
        assert parsed(phrase) == parsed(meaning.words)
        assert isinstance(parsed(phrase), Act)
    chance = np.random.default_rng(0)
    drawn = [draw_phrase(chance) for _ in range(400)]
    assert {word for phrase in drawn for word in phrase.split()} == set(WORDS)
