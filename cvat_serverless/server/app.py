"""The three calls that CVAT makes to Nuclio's dashboard, a health check, and metrics."""

from __future__ import annotations

import asyncio
import functools
import logging
import time
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
from cvat_serverless.server.room import Room

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from cvat_serverless.server.room import Guest

_log = logging.getLogger(__name__)

_OPEN = frozenset({"/healthz"})
_RETRY_AFTER = {"Retry-After": "5"}


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """What a request may take.

    Attributes
    ----------
    body_bytes
        Largest request.
    held_bytes
        All requests together that arrive, wait or are answered. They take up to three times as much memory.
    body_seconds
        Seconds for it to arrive.
    """

    body_bytes: int = 64 * 2**20
    held_bytes: int = 512 * 2**20
    body_seconds: float = 60.0


class CvatServer:
    """Serves the functions as Nuclio's dashboard would.

    Parameters
    ----------
    service
        What answers.
    port
        Where both functions are, for CVAT's direct calls.
    token
        Who knows it may ask; empty: everybody who can reach the server.
    limits
        What a request may take.
    """

    def __init__(
        self, service: FunctionService, *, port: int, token: str = "", limits: ServerLimits | None = None
    ) -> None:
        self._service = service
        self._port = port
        self._limits = limits or ServerLimits()
        self._room = Room(max(self._limits.held_bytes, self._limits.body_bytes))
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
            middleware=[Middleware(_Doorkeeper, token=token)],
            exception_handlers={HTTPException: _refused},
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
            with self._room.guest() as guest:
                async with asyncio.timeout(self._limits.body_seconds):
                    body = await self._body(request, guest)
                started = time.perf_counter()
                # In a thread, so that others are heard meanwhile; a client that hangs up does not stop it half way.
                work = functools.partial(self._service.answer, name, body, request.headers.get("content-type"))
                reply = await run_in_threadpool(work)
        except TimeoutError:
            reply = _turned_away(name, 408, f"the request took over {self._limits.body_seconds:g} seconds to arrive")
        except ClientDisconnect:
            reply = _turned_away(name, 400, "the request was broken off")
        except HTTPException as error:
            reply = _turned_away(name, error.status_code, error.detail)
        self._metrics.answered(name if name in FUNCTIONS else "other", reply.status, time.perf_counter() - started)
        return JSONResponse(reply.body, reply.status, _RETRY_AFTER if reply.status == 503 else None)

    async def _body(self, request: Request, guest: Guest) -> bytes:
        """Read a request; one that says how large it is has its room, or is turned away, before it is read."""
        announced = request.headers.get("content-length", "")
        self._admit(guest, int(announced) if announced.isdecimal() else 0)
        parts, size = [], 0
        async for part in request.stream():
            parts.append(part)
            size += len(part)
            self._admit(guest, size)
        return b"".join(parts)

    def _admit(self, guest: Guest, size: int) -> None:
        most = self._limits.body_bytes
        if size > most:
            raise HTTPException(
                413, f"the request is larger than {most / 2**20:g} MiB; start the server with a larger --max-body-mb"
            )
        if not guest.takes(size):
            raise HTTPException(
                503,
                f"requests of {self._room.size / 2**20:g} MiB are waiting already; try again, serve a replica more, or "
                "start the server with a larger --max-waiting-mb",
            )

    async def _health(self, request: Request) -> Response:
        return JSONResponse({"status": "ok", "model": self._service.engine.predictor.name})

    async def _scrape(self, request: Request) -> Response:
        return Response(self._metrics.text(), media_type=CONTENT_TYPE)


class _Doorkeeper:
    """Turns away who does not know the token, before anything of the request is read."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in _OPEN:
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            if not is_allowed(headers, self._token):
                _log.warning("refused: a request from %s does not have the token", (scope.get("client") or ["?"])[0])
                text = "this server asks for its token: see 'sam2v serve cvat --help' on how CVAT sends it"
                await JSONResponse({"message": text}, 401)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _turned_away(name: str, status: int, reason: str) -> Reply:
    _log.warning("%s: refused: %s", name[:60], reason)
    return Reply(status, {"message": reason})


async def _refused(request: Request, error: Exception) -> Response:
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
