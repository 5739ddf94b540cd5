"""What stands between the server and a network: who may ask, from which page, how much and how often."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import SplitResult, parse_qs, quote, urlsplit

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK = ("localhost", "127.0.0.1", "::1")
COOKIE = "lanista_token"
MOST_BODY = 1_000_000  # bytes that a request may bring
PICTURES = "/analyse/picture"  # where a picture may be brought
MOST_PICTURE = 8 * 2**20  # bytes of it
MOST_EVENTS = 60.0  # a second that a socket may bring, for long; then it waits while others are served
BURST = 240.0


class Guard:
    """ASGI middleware: refuses strange hosts, cross-site requests and, with a token, whoever does not know it."""

    def __init__(self, app: App, token: str = "", loopback: bool = True) -> None:
        """Stand before an app.

        Args:
            app: what is guarded.
            token: must be in a cookie or, once, in the address as `?token=`; "" asks for none.
            loopback: the server is for this machine only: no other name of it is answered, lest a page elsewhere
                points its own name here (DNS rebinding).
        """
        self.app, self.token, self.loopback = app, token, loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
        refusal = self.refusal(scope, headers)
        if refusal:
            await _refuse(scope, send, refusal)
            return
        given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])[0]
        if self.token and given and scope["type"] == "http":
            await _welcome(scope, send, self.token)
            return
        await self.app(scope, _slowed(receive) if scope["type"] == "websocket" else receive, send)

    def refusal(self, scope: Scope, headers: dict[str, str]) -> str:
        """Why a request is not answered; "" if it is."""
        host = headers.get("host", "")
        if self.loopback and _split(f"//{host}").hostname not in LOOPBACK:
            return "this server answers on this machine only; begin it with --host for others"
        origin = headers.get("origin", "")
        if origin and _split(origin).netloc != host:
            return "requests from other sites are refused"
        # A link from elsewhere may be followed; a frame on another site's page would let that site lead the clicks.
        opened = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") in (None, "document")
        if headers.get("sec-fetch-site") == "cross-site" and not opened:
            return "requests from other sites are refused"
        length = headers.get("content-length", "0")
        most = MOST_PICTURE if scope.get("path") == PICTURES else MOST_BODY
        if not length.isdecimal() or len(length) > 18 or int(length) > most:
            return "that is too large"
        if self.token:
            given = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [""])[0]
            known = given or _cookie(headers.get("cookie", ""))
            if not hmac.compare_digest(known.encode(), self.token.encode()):
                return "open the link with the token that the server printed"
        return ""


def _split(address: str) -> SplitResult:
    """An address's parts; of what is none, empty ones."""
    try:
        return urlsplit(address)
    except ValueError:  # as of brackets that hold no address
        return SplitResult("", "", "", "", "")


def _cookie(text: str) -> str:
    try:
        found = SimpleCookie(text).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found is not None else ""


async def _refuse(scope: Scope, send: Send, words: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 4403})
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": words.encode()})


async def _welcome(scope: Scope, send: Send, token: str) -> None:
    """Keep the token as a cookie and take it out of the address."""
    cookie = f"{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000"
    # No address of another host: two slashes at the start would name one. Quoted again: a line's end in it would begin
    # another header.
    place = b"/" + quote(scope["path"].lstrip("/\\"), safe="/:@!$&'()*+,;=~-._").encode()
    headers = [(b"location", place), (b"set-cookie", cookie.encode()), (b"referrer-policy", b"no-referrer")]
    await send({"type": "http.response.start", "status": 303, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _slowed(receive: Receive) -> Receive:
    """A socket's events, no faster than `MOST_EVENTS` after a burst: whoever floods waits, others do not."""
    allowance, last = BURST, time.monotonic()

    async def slow() -> MutableMapping[str, Any]:
        nonlocal allowance, last
        message = await receive()
        now = time.monotonic()
        allowance = min(BURST, allowance + (now - last) * MOST_EVENTS) - 1
        last = now
        if allowance < 0:
            await asyncio.sleep(-allowance / MOST_EVENTS)
        return message

    return slow
