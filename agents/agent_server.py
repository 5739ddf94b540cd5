"""An agent offered over HTTP: a FastAPI application around an agent in a process of its own."""

from __future__ import annotations

import json
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import numpy as np
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError

from lanista.agents.http_messages import FORMAT, MOST_BYTES, About, Answer, Finished, Question, answer_of, turn_of
from lanista.agents.isolate import isolate
from lanista.envs.catalogue import make

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def agent_app(contestant: str, game: str, *, seed: int = 0, seconds: float = 60.0) -> FastAPI:
    """The application that answers for an agent.

    Args:
        contestant: who plays.
        game: the string of the game that it plays here.
        seed: of the agent's chance.
        seconds: in which it must answer a turn; its process is begun anew when it does not.

    Raises:
        UsageError: the agent or the game cannot be had.
    """
    spec = make(game).spec
    agent = isolate(contestant, seconds=seconds, memory=0)
    agent.start(spec, seed)
    one_at_a_time = threading.Lock()  # guests may ask together
    app = FastAPI(title=f"{contestant} plays {spec.name}", docs_url=None, redoc_url=None)
    app.add_middleware(Bounded)
    app.add_exception_handler(RequestValidationError, _unfit)

    @app.get("/agent")
    def about() -> About:
        """Who plays what."""
        return About(format=FORMAT, name=contestant, game=spec.name)

    @app.post("/act")
    def act(question: Question) -> Answer:
        """The agent's choice."""
        try:
            turn, memory = turn_of(question, spec)
        except ValueError as error:
            raise HTTPException(422, str(error)) from None
        with one_at_a_time:
            return answer_of(agent.act(turn, memory))

    @app.post("/finish", status_code=204)
    def finish(finished: Finished) -> None:
        """Games are over."""
        with one_at_a_time:
            agent.finish(np.array(finished.games, np.int64))

    app.state.close = agent.close
    return app


async def _unfit(request: Request, error: Exception) -> Response:
    """What is wrong with a body, without the body: FastAPI would send back all of it, and fails where it is no JSON."""
    assert isinstance(error, RequestValidationError)
    found = [f"{'.'.join(map(str, each['loc']))[:100]}: {each['msg'][:100]}" for each in error.errors()[:3]]
    return Response(json.dumps({"detail": "; ".join(found)}), 422, media_type="application/json")


class Bounded:
    """Refuses requests of more than `MOST_BYTES` before they are read."""

    def __init__(self, app: Any) -> None:
        """Stand before an ASGI application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, its body as it comes, as long as that is not too long."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if not declared.isdigit() or len(declared) > 18 or int(declared) > MOST_BYTES:
            await _refuse(send)
            return
        read = 0

        async def bounded() -> MutableMapping[str, Any]:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > MOST_BYTES:  # of a body that told no length
                raise HTTPException(413, "the request is too large")
            return message

        await self._app(scope, bounded, send)


async def _refuse(send: Send) -> None:
    head = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": head})
    await send({"type": "http.response.body", "body": b'{"detail":"the request is too large"}'})
