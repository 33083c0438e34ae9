"""The three calls that CVAT makes to Nuclio's dashboard, a health check, and metrics."""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cvat_serverless.functions import FUNCTIONS, FunctionInfo, FunctionService, Reply
from cvat_serverless.server.access import is_allowed
from cvat_serverless.server.metrics import CONTENT_TYPE, Metrics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp, Receive, Scope, Send

_log = logging.getLogger(__name__)

_WITHOUT_TOKEN = frozenset({"/healthz"})
_RETRY_AFTER = {"Retry-After": "5"}


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """What a request may take.

    Attributes
    ----------
    body_bytes
        Largest request, in bytes.
    held_bytes
        Bytes of all requests together that arrive, wait or are answered. They take up to three times as much memory.
    body_seconds
        Seconds in which a request has to arrive.
    """

    body_bytes: int = 64 * 2**20
    held_bytes: int = 512 * 2**20
    body_seconds: float = 60.0


@dataclass(slots=True)
class RequestMemory:
    """The bytes that all requests together hold. It is used by one thread, that of the event loop.

    Attributes
    ----------
    limit
        The most bytes that may be held.
    used
        Bytes that are held now.
    """

    limit: int
    used: int = 0

    @contextmanager
    def reservation(self) -> Iterator[Reservation]:
        """Let a request reserve bytes; they are free again after the block."""
        reservation = Reservation(self)
        try:
            yield reservation
        finally:
            self.used -= reservation.size


@dataclass(slots=True)
class Reservation:
    """The bytes that one request has reserved."""

    memory: RequestMemory
    size: int = 0

    def grow(self, size: int) -> bool:
        """Reserve ``size`` bytes in all, if there are as many; return whether there are."""
        more = max(0, size - self.size)
        if self.memory.used + more > self.memory.limit:
            return False
        self.size += more
        self.memory.used += more
        return True


class FunctionServer:
    """Serves the functions as Nuclio's dashboard would.

    Parameters
    ----------
    service
        The service that answers the requests.
    port
        Port on which both functions are reached, for CVAT's direct calls.
    token
        Who knows it may ask; empty: everybody who can reach the server.
    limits
        Sizes and times of requests; the defaults if left out.
    """

    def __init__(
        self, service: FunctionService, *, port: int, token: str = "", limits: ServerLimits | None = None
    ) -> None:
        self._service = service
        self._port = port
        self._limits = limits or ServerLimits()
        self._memory = RequestMemory(max(self._limits.held_bytes, self._limits.body_bytes))
        self._metrics = Metrics(service)
        self.app = Starlette(
            routes=[
                Route("/api/functions", self._list),
                Route("/api/functions/{name}", self._show),
                Route("/api/function_invocations", self._invoke, methods=["POST"]),
                Route("/", self._invoke, methods=["POST"]),
                Route("/healthz", self._health),
                Route("/metrics", self._scrape),
            ],
            middleware=[Middleware(_TokenMiddleware, token=token)],
            exception_handlers={HTTPException: _http_error},
        )

    async def _list(self, request: Request) -> Response:
        return JSONResponse({name: _described(info, self._port) for name, info in FUNCTIONS.items()})

    async def _show(self, request: Request) -> Response:
        info = FUNCTIONS.get(request.path_params["name"])
        if info is None:
            raise HTTPException(404, f"there is no such function; there are {', '.join(FUNCTIONS)}")
        return JSONResponse(_described(info, self._port))

    async def _invoke(self, request: Request) -> Response:
        name = request.headers.get("x-nuclio-function-name", "")
        started = time.perf_counter()
        try:
            with self._memory.reservation() as reservation:
                async with asyncio.timeout(self._limits.body_seconds):
                    body = await self._body(request, reservation)
                started = time.perf_counter()
                # In a thread, so that others are heard meanwhile; a client that hangs up does not stop it half way.
                work = functools.partial(self._service.answer, name, body, request.headers.get("content-type"))
                reply = await run_in_threadpool(work)
        except TimeoutError:
            reply = _refusal(name, 408, f"the request took over {self._limits.body_seconds:g} seconds to arrive")
        except ClientDisconnect:
            reply = _refusal(name, 400, "the request was broken off")
        except HTTPException as error:
            reply = _refusal(name, error.status_code, error.detail)
        self._metrics.answered(name if name in FUNCTIONS else "other", reply.status, time.perf_counter() - started)
        return JSONResponse(reply.body, reply.status, _RETRY_AFTER if reply.status == 503 else None)

    async def _body(self, request: Request, reservation: Reservation) -> bytes:
        """Read a request; one that says how large it is has its bytes, or is refused, before it is read."""
        announced = request.headers.get("content-length", "")
        self._reserve(reservation, int(announced) if announced.isdecimal() else 0)
        parts, size = [], 0
        async for part in request.stream():
            parts.append(part)
            size += len(part)
            self._reserve(reservation, size)
        return b"".join(parts)

    def _reserve(self, reservation: Reservation, size: int) -> None:
        most = self._limits.body_bytes
        if size > most:
            raise HTTPException(
                413, f"the request is larger than {most / 2**20:g} MiB; start the server with a larger --max-body-mb"
            )
        if not reservation.grow(size):
            raise HTTPException(
                503,
                f"requests of {self._memory.limit / 2**20:g} MiB are waiting already; try again, serve a replica more, "
                "or start the server with a larger --max-waiting-mb",
            )

    async def _health(self, request: Request) -> Response:
        return JSONResponse({"status": "ok", "model": self._service.model.predictor.name})

    async def _scrape(self, request: Request) -> Response:
        return Response(self._metrics.text(), media_type=CONTENT_TYPE)


class _TokenMiddleware:
    """Refuses whoever does not know the token, before anything of the request is read."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in _WITHOUT_TOKEN:
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            if not is_allowed(headers, self._token):
                _log.warning("refused: a request from %s does not have the token", (scope.get("client") or ["?"])[0])
                text = "this server asks for its token: see 'sam2v serve cvat --help' on how CVAT sends it"
                await JSONResponse({"message": text}, 401)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _refusal(name: str, status: int, reason: str) -> Reply:
    _log.warning("%s: refused: %s", name[:60], reason)
    return Reply(status, {"message": reason})


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"message": error.detail}, error.status_code, error.headers)


def _described(info: FunctionInfo, port: int) -> dict[str, Any]:
    return {
        "metadata": {
            "name": info.name,
            "namespace": "nuclio",
            "labels": {"nuclio.io/project-name": "cvat"},
            "annotations": dict(info.annotations),
        },
        "spec": {"description": info.description},
        "status": {"state": "ready", "httpPort": port},
    }
