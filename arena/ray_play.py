"""Games of a tournament spread over a Ray cluster: workers play, this process takes what is finished.

What is played depends on the games' places and seeds alone, so it is the same as without a cluster, as far as agents
answer alike in batches of any size: a network may round otherwise, and of two moves that are as good take the other.
A worker that dies is replaced, and the games that it had not handed over are played again.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from lanista import ray_cluster
from lanista.agents.contestant import load_agent, trained_folder
from lanista.agents.match import play_schedule
from lanista.agents.schedule import Finished, Schedule
from lanista.agents.trust import is_trusted, trusting
from lanista.arena.entrants import BUILT_IN, FILES, NETWORK, digest
from lanista.arena.missing_games import Rules
from lanista.cores import usable_cores
from lanista.envs.core import Agent, agent_name
from lanista.errors import UsageError
from lanista.plugs import one_line

PARTS = 8  # pieces of work for each processor, so that all end about together
MOST_GAMES = 512  # of a piece: what a worker that dies takes along
AHEAD = 2  # pieces for each processor that wait at the workers
TRIES = 4  # of a piece whose worker died


@dataclass(frozen=True)
class Sent:
    """A contestant on its way to a worker.

    Attributes:
        name: under which it plays; where nothing else is given, the string that makes it again.
        digest: by which the worker knows that it made the same.
        files: of a trained agent, name -> content: a worker need not see this machine's folders.
        options: of a trained agent, as in its name.
        pickled: an object of the user's, where no string makes it again.
    """

    name: str
    digest: str
    files: Mapping[str, bytes] | None = None
    options: str = ""
    pickled: bytes | None = None


@dataclass(frozen=True)
class RayPlayer:
    """Plays schedules on a cluster, as `missing_games.play_here` does in this process.

    Attributes:
        address: HOST:PORT of a cluster's head, or "auto"; None is one of this machine alone.
    """

    address: str | None = None

    def __call__(
        self, game: str, agents: Sequence[Agent], schedule: Schedule, seed: int, rules: Rules
    ) -> Iterator[Finished]:
        """Play.

        Raises:
            UsageError: no cluster is there, an agent cannot be sent, or cannot be made by the workers.
            RuntimeError: workers that play some games die again and again.
        """
        if not len(schedule):
            return
        players = [sent(agent) for agent in agents]
        if self.address is None:
            ray_cluster.start_here(usable_cores())
        else:
            ray_cluster.join_cluster(self.address)
        try:
            yield from _spread(game, players, schedule, seed, rules)
        finally:
            ray_cluster.leave()


def sent(agent: Agent) -> Sent:
    """What a worker needs to have the same agent.

    Raises:
        UsageError: it is an object that cannot be sent.
    """
    name, mark, module = agent_name(agent), digest(agent), type(agent).__module__
    if module == NETWORK:
        head, _, options = name.partition("?")
        with contextlib.suppress(UsageError):  # a network that lies in no folder is sent as an object
            folder = trained_folder(head)
            return Sent(name, mark, {file: (folder / file).read_bytes() for file in FILES}, options)
    elif module.startswith(BUILT_IN):
        return Sent(name, mark)
    try:
        return Sent(name, mark, pickled=_pickled(agent))
    except Exception as error:  # whatever its own code raises
        raise UsageError(
            f"'{name}' cannot be sent to Ray's workers ({one_line(error)}); give it as py:FILE.py:CLASS, or play "
            "without --ray"
        ) from None


def _pickled(agent: Agent) -> bytes:
    """An object with the code of its class, since workers need not have the user's modules."""
    from ray import cloudpickle

    module = sys.modules[type(agent).__module__]
    with contextlib.ExitStack() as after:
        if module.__name__ != "__main__" and "site-packages" not in str(getattr(module, "__file__", "site-packages")):
            cloudpickle.register_pickle_by_value(module)
            after.callback(cloudpickle.unregister_pickle_by_value, module)
        data: bytes = cloudpickle.dumps(agent)
    return data


def _spread(game: str, players: Sequence[Sent], schedule: Schedule, seed: int, rules: Rules) -> Iterator[Finished]:
    """Hand out pieces of the schedule, and give back what is finished."""
    import ray

    task = ray.remote(num_cpus=1, max_retries=TRIES - 1)(_piece)
    given, here, trust = [ray.put(each) for each in players], str(Path.cwd()), is_trusted()
    pieces = _pieces(schedule, ray_cluster.processors())
    waiting: dict[Any, np.ndarray[Any, Any]] = {}  # what is being played -> (m,) indices in the schedule
    while pieces or waiting:
        while pieces and len(waiting) < AHEAD * max(1, ray_cluster.processors()):
            which = pieces.pop()
            who, seats = np.unique(schedule.seats[which], return_inverse=True)
            piece = replace(_part(schedule, which), seats=seats.reshape(len(which), -1))
            # References are unpacked only as arguments of their own, not inside a list.
            begun = task.remote(game, here, trust, seed, rules, piece, *(given[number] for number in who.tolist()))
            waiting[begun] = which
        ready, _ = ray.wait(list(waiting), num_returns=1)
        for begun in ready:
            which = waiting.pop(begun)
            for finished in _result(begun):
                yield replace(finished, which=which[finished.which])


def _result(begun: Any) -> list[Finished]:
    """What a worker finished, or its error in our words."""
    import ray

    try:
        finished: list[Finished] = ray.get(begun)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, UsageError):
            raise UsageError(f"on a worker of the Ray cluster: {one_line(error.cause)}") from None
        raise RuntimeError(f"a worker of the Ray cluster failed: {one_line(error.cause)}") from None
    except (ray.exceptions.WorkerCrashedError, ray.exceptions.NodeDiedError) as error:
        raise RuntimeError(
            f"{TRIES} workers of the Ray cluster died while they played the same games; what is finished is stored, "
            "and the same command goes on"
        ) from error
    return finished


def _pieces(schedule: Schedule, processors: int) -> list[np.ndarray[Any, Any]]:
    """The schedule's games in pieces, the first last: each (m,) indices."""
    size = min(MOST_GAMES, max(1, -(-len(schedule) // (PARTS * max(1, processors)))))
    return [np.arange(begin, min(begin + size, len(schedule))) for begin in range(0, len(schedule), size)][::-1]


def _part(schedule: Schedule, which: np.ndarray[Any, Any]) -> Schedule:
    """Some of the games."""
    listed = which.tolist()
    return Schedule(
        schedule.seats[which],
        [schedule.seeds[at] for at in listed],
        None if schedule.openings is None else [schedule.openings[at] for at in listed],
        None if schedule.levels is None else schedule.levels[which],
        None if schedule.positions is None else [schedule.positions[at] for at in listed],
    )


_MADE: dict[tuple[str, str], Agent] = {}  # of this worker: an agent is made once


def _piece(
    game: str, folder: str, trust: bool, seed: int, rules: Rules, schedule: Schedule, *players: Sent
) -> list[Finished]:
    """Play a piece of the schedule; runs on a worker.

    Args:
        game: the game's string.
        folder: from which relative paths count, if it is there.
        trust: files that run code may be loaded.
        seed: as of `play_schedule`.
        rules: likewise, by name.
        schedule: the games.
        players: who plays.

    Raises:
        UsageError: an agent cannot be made or started there.
    """
    if Path(folder).is_dir():
        os.chdir(folder)
    with trusting(trust):
        agents = [_made(each) for each in players]
        return list(play_schedule(game, agents, schedule, seed=seed, **rules))


def _made(each: Sent) -> Agent:
    """The agent on a worker.

    Raises:
        UsageError: it cannot be made here, or is another one here.
    """
    key = (each.name, each.digest)
    if key not in _MADE:
        _MADE[key] = _make(each)
    return _MADE[key]


def _make(each: Sent) -> Agent:
    if each.pickled is not None:
        try:
            own: Agent = pickle.loads(each.pickled)
        except Exception as error:  # whatever its own code raises
            raise UsageError(f"'{each.name}' cannot be made there: {one_line(error)}") from None
        return own
    if each.files is None:
        agent = load_agent(each.name)
        if digest(agent) != each.digest:
            raise UsageError(f"'{each.name}' is another one there than here: its files differ")
        return agent
    with tempfile.TemporaryDirectory() as folder:
        for file, content in each.files.items():
            (Path(folder) / file).write_bytes(content)
        loaded: Any = load_agent(f"{folder}?{each.options}" if each.options else folder)
    loaded.name = each.name
    made: Agent = loaded
    return made
