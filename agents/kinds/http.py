"""`http://127.0.0.1:8700`: an agent that somebody serves with `lanista serve-agent`, on this machine or another.

After `?` comes Lanista's limit, `seconds` in which a request must be answered, as in `http://127.0.0.1:8700?seconds=5`;
`https://` is spoken too. Nothing that the server says is executed; what it answers wrongly is its failure.
"""

from __future__ import annotations

import contextlib
import http.client
import secrets
import socket
import threading
import urllib.parse
from dataclasses import replace
from typing import Any

import numpy as np
from pydantic import BaseModel, ValidationError

from lanista.agents.http_messages import (
    FORMAT,
    MOST_BYTES,
    About,
    Answer,
    Finished,
    Question,
    arrays_json,
    choice_of,
)
from lanista.agents.processes import ProcessError, check_seconds
from lanista.agents.wire import turn_arrays
from lanista.envs.core import Array, Choice, GameSpec, Ints, Turn
from lanista.envs.joined_choices import joined
from lanista.errors import UsageError
from lanista.plugs import call, one_line, parse_options

ROWS_AT_ONCE = 256


def make(address: str, seconds: float = 30.0) -> HttpAgent:
    """The agent at an address; `read` takes all that a contestant's string can say."""
    return HttpAgent(address, seconds)


def read(written: str, source: str) -> HttpAgent:
    """The agent of a contestant's string.

    Args:
        written: it, without the scheme.
        source: all of it.

    Raises:
        UsageError: it is no address.
    """
    address, _, options = source.partition("?")

    def limited(seconds: float = 30.0) -> HttpAgent:
        return HttpAgent(address, seconds, source)

    agent: HttpAgent = call(limited, f"the agent '{source}'", dict(parse_options(options, source)))
    return agent


class HttpAgent:
    """Asks a server for its choices, some hundred rows a request."""

    def __init__(self, address: str, seconds: float, name: str = "") -> None:
        """Know the address; nobody is asked.

        Args:
            address: `http://host:port`, perhaps with a path.
            seconds: in which a request must be answered.
            name: what the agent is called; the address if it is empty.

        Raises:
            UsageError: it is no address, or the limit is none.
        """
        self.name = name or address
        self.seconds = seconds
        try:
            parts = urllib.parse.urlsplit(address)
            port = parts.port
        except ValueError:
            raise _no_address(address) from None
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise _no_address(address)
        check_seconds(self.name, seconds)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname, port, timeout=seconds)
        self._path = parts.path.rstrip("/")
        self._serial = np.int64(0)

    def start(self, spec: GameSpec, seed: int) -> None:
        """Ask who plays there.

        Raises:
            UsageError: nobody, or an agent for another game.
        """
        self._serial = np.int64(secrets.randbits(30) << 32)  # other guests of the server count their games too
        try:
            about = self._say("GET", "/agent", None, About)
        except ProcessError as failure:
            raise UsageError(
                f"no agent answers at '{self.name}': it {failure}; 'lanista serve-agent AGENT --game {spec.name}' "
                "serves one"
            ) from None
        if about.format != FORMAT:
            raise UsageError(f"'{self.name}' speaks format {about.format}, this Lanista {FORMAT}")
        if about.game != spec.name:
            raise UsageError(f"'{self.name}' serves an agent for {about.game}, not for {spec.name}")

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        """The server's choice for each row."""
        pieces = []
        for begin in range(0, len(turn), ROWS_AT_ONCE):
            rows = np.arange(begin, min(begin + ROWS_AT_ONCE, len(turn)))
            piece = turn if len(rows) == len(turn) else turn.take(rows)
            pieces.append(self._ask(piece, None if memory is None else memory[rows]))
        return pieces[0] if len(pieces) == 1 else joined(pieces)

    def finish(self, games: Ints) -> None:
        """Tell the server which games are over; whether it hears does not matter."""
        with contextlib.suppress(ProcessError):
            self._say("POST", "/finish", Finished(games=(games + self._serial).tolist()), None)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _ask(self, turn: Turn, memory: Array | None) -> Choice:
        numbered = replace(turn, games=turn.games + self._serial)
        moves = None if turn.public is None else [turn.public.moves(row) for row in range(len(turn))]
        try:
            question = Question(arrays=arrays_json(turn_arrays(numbered, memory)), moves=moves)
            return choice_of(self._say("POST", "/act", question, Answer), turn)
        except (ProcessError, ValueError) as failure:
            reason = f"http agent: {one_line(failure)}"[:200]
            return Choice(np.zeros(len(turn), np.int64), failed=dict.fromkeys(range(len(turn)), reason))

    def _say(self, method: str, path: str, what: BaseModel | None, answer: type[Any] | None) -> Any:
        """Send a request and read its answer.

        Raises:
            ProcessError: there is none in time, or it is wrong.
        """
        body = None if what is None else what.model_dump_json().encode()
        over = threading.Event()

        def hang_up() -> None:
            over.set()
            with contextlib.suppress(OSError, AttributeError):
                self._connection.sock.shutdown(socket.SHUT_RDWR)

        clock = threading.Timer(self.seconds, hang_up)  # for who answers byte by byte
        clock.daemon = True
        clock.start()
        try:
            status, text = self._exchange(method, self._path + path, body)
            if over.is_set():
                raise TimeoutError  # what was read until then is a part
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            late = over.is_set() or isinstance(error, TimeoutError)
            said = f"gave no answer within {self.seconds:g} seconds" if late else f"failed: {one_line(error)}"
            raise ProcessError(said) from None
        finally:
            clock.cancel()
        if len(text) > MOST_BYTES:
            self._connection.close()
            raise ProcessError(f"answered with more than {MOST_BYTES} bytes")
        if status not in (200, 204):
            raise ProcessError(f"answered with status {status}: {text[:100].decode(errors='replace')}")
        if answer is None:
            return None
        try:
            return answer.model_validate_json(text)
        except ValidationError as error:
            raise ProcessError(f"answered with no {answer.__name__}: {error.errors()[0]['msg']}") from None

    def _exchange(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        """Status and body; a connection that was kept and has been closed meanwhile is opened again, once."""
        kept = self._connection.sock is not None
        headers = {"Content-Type": "application/json"} if body is not None else {}
        try:
            self._connection.request(method, path, body, headers)
            response = self._connection.getresponse()
        except (ConnectionError, http.client.RemoteDisconnected):
            self._connection.close()
            if not kept:
                raise
            self._connection.request(method, path, body, headers)
            response = self._connection.getresponse()
        text = response.read(MOST_BYTES + 1)
        if response.will_close or len(text) > MOST_BYTES:
            self._connection.close()
        return response.status, text


def _no_address(words: str) -> UsageError:
    return UsageError(f"'{words}' is no address of an agent; write it as in 'http://127.0.0.1:8700'")
