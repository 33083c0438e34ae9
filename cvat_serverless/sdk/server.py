"""A CVAT server as the command sees it: JSON in and out through the SDK's client, with its errors in words."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from src_model.errors import RemoteError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

OLDEST = (2, 40)
"""Oldest version that is worked with: masks, guides and access tokens are there, and frames counted as they are now."""

_JSON = {"Accept": "application/vnd.cvat+json"}
_TIMEOUT = (20.0, 300.0)
_NOT_ACCEPTED = "it does not accept these credentials: look at CVAT_ACCESS_TOKEN, --auth and the variable PASS"
_PASSING = {429, 500, 502, 503, 504}
"""Answers that may be others a little later."""


class ConnectionBroken(RemoteError):
    """The connection broke: whether a request was carried out is not known."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to go on asking a server that does not answer.

    Attributes
    ----------
    delays
        Seconds before each new attempt.
    sleep
        Waits.
    """

    delays: tuple[float, ...] = (0.5, 2.0, 5.0, 10.0, 20.0)
    sleep: Callable[[float], None] = time.sleep


class Server:
    """A server that was logged in to.

    Parameters
    ----------
    client
        Of the CVAT SDK.
    patience
        For requests that change nothing; those that do are never asked twice.
    """

    def __init__(self, client: Any, patience: Patience | None = None) -> None:
        self._client = client
        self.patience = patience or Patience()

    @property
    def host(self) -> str:
        """Its address, without anything secret."""
        parts = urlsplit(str(self._client.api_map.host))
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)

    def close(self) -> None:
        """Close its connections."""
        self._client.api_client.rest_client.pool_manager.clear()
        self._client.close()

    def check_version(self) -> None:
        """Raise RemoteError if the server is too old, or no CVAT."""
        about = self.get("/api/server/about", "asking for its version")
        text = str(about.get("version", "")) if isinstance(about, dict) else ""
        numbers = text.split(".")[:2]
        if not all(number.isdecimal() for number in numbers) or len(numbers) < 2:
            raise RemoteError(f"{self.host} does not answer as a CVAT server does; is the address right?")
        if tuple(map(int, numbers)) < OLDEST:
            raise RemoteError(
                f"the CVAT server {self.host} has version {text}; sam2v works with {OLDEST[0]}.{OLDEST[1]} and later: "
                "update the server"
            )

    def get(self, path: str, doing: str, **query: object) -> Any:
        """Ask for JSON."""
        return _parsed(self._patiently("GET", path, doing, query, _JSON), self.host)

    def get_bytes(self, path: str, doing: str, **query: object) -> bytes:
        """Ask for a file."""
        return self._patiently("GET", path, doing, query, {})

    def try_out(self, method: str, path: str, body: Mapping[str, object], doing: str, **query: object) -> None:
        """Ask for a change that changes nothing, to learn whether the server would let this user do it.

        Raises
        ------
        RemoteError
            If it would not, or does not answer.
        """
        self._patiently(method, path, doing, query, _JSON, dict(body))

    def change(self, method: str, path: str, body: Mapping[str, object], doing: str, **query: object) -> Any:
        """Change something; asked once.

        Raises
        ------
        ConnectionBroken
            If no answer came, so that it may or may not have happened.
        RemoteError
            If the server refuses.
        """
        return _parsed(self._ask(method, path, doing, query, _JSON, dict(body)), self.host)

    def _patiently(
        self,
        method: str,
        path: str,
        doing: str,
        query: Mapping[str, object],
        headers: Mapping[str, str],
        body: object = None,
    ) -> bytes:
        for delay in self.patience.delays:
            try:
                return self._ask(method, path, doing, query, headers, body)
            except ConnectionBroken:
                self.patience.sleep(delay)
        return self._ask(method, path, doing, query, headers, body)

    def _ask(
        self,
        method: str,
        path: str,
        doing: str,
        query: Mapping[str, object],
        headers: Mapping[str, str],
        body: object = None,
    ) -> bytes:
        try:
            _, response = self._client.api_client.call_api(
                path,
                method,
                query_params=list(query.items()),
                header_params=dict(headers),
                body=body,
                _parse_response=False,
                _request_timeout=_TIMEOUT,
            )
            return bytes(response.data)
        except Exception as error:
            # Not chained: the SDK's errors quote headers with session cookies.
            raise failure(error, self.host, doing) from None


def failure(error: Exception, host: str, doing: str) -> RemoteError:
    """Put an error of the SDK in words, without what may be secret.

    Parameters
    ----------
    error
        As it was raised.
    host
        The server.
    doing
        What was tried, such as ``"reading task 5"``.
    """
    status = getattr(error, "status", None)
    if not isinstance(status, int) or status == 0 or status in _PASSING:
        kind = f"answers {status}" if status in _PASSING else f"does not answer ({type(error).__name__})"
        return ConnectionBroken(
            f"the CVAT server {host} {kind} while {doing}; what was done so far is kept: look at the connection and "
            "run the same command again"
        )
    match status:
        case 401:
            why = _NOT_ACCEPTED
        case 403:
            why = "you have no permission: ask the task's owner, or look whether --organization is needed"
        case 404:
            why = "there is no such thing, or you may not see it: look at the number and at --organization"
        case 413:
            why = "the request is too large for it: track fewer frames or objects at once, or as rectangles or polygons"
        case _:
            why = f"it answers {status}: {_reason(error)}"
    return RemoteError(f"the CVAT server {host} refuses {doing}: {why}")


def refused_login(error: Exception, host: str) -> RemoteError:
    """Put in words that a server refuses a name and password, with the reason that it gives."""
    try:
        reasons = json.loads(_body(error)).get("non_field_errors", ())
        reason = " ".join(str(each) for each in reasons)[:300]
    except (ValueError, AttributeError, TypeError):
        reason = ""
    why = f"{_NOT_ACCEPTED}{f' ({reason})' if reason else ''}"
    return RemoteError(f"the CVAT server {host} refuses logging in: {why}")


def _reason(error: Exception) -> str:
    return " ".join((_body(error) or "no reason is given").split())[:300]


def _body(error: Exception) -> str:
    body = getattr(error, "body", None)
    return body.decode(errors="replace") if isinstance(body, bytes) else str(body or "")


def _parsed(data: bytes, host: str) -> Any:
    try:
        return json.loads(data) if data else None
    except ValueError:
        raise RemoteError(f"{host} does not answer as a CVAT server does; is the address right?") from None
