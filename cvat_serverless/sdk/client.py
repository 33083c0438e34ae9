"""A connection to a CVAT server: logging in as ``cvat-cli`` does, and JSON in and out, with errors in words.

What is secret is in no message and no file: the SDK's errors quote headers with session cookies, so they are never
chained to ours.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from src_model.errors import MissingExtraError, RemoteError

if TYPE_CHECKING:
    from collections.abc import Mapping

OLDEST_VERSION = (2, 40)
"""Oldest version that is worked with: it has masks, guides and access tokens, and counts frames as they are now."""

_TOKEN = "CVAT_ACCESS_TOKEN"
_JSON = {"Accept": "application/vnd.cvat+json"}
_TIMEOUT = (20.0, 300.0)
"""Seconds to connect, and between two bytes of an answer: a server needs minutes to write a large task."""
_NOT_ACCEPTED = "it does not accept these credentials: look at CVAT_ACCESS_TOKEN, --auth and the variable PASS"
_PASSING = (429, 500, 502, 503, 504)
"""Statuses that may be others a little later."""
_RETRIES = 6
_RETRY_FACTOR = 0.5
"""urllib3's factor of pauses: with it they are 0, 1, 2, 4, 8 and 16 seconds."""


class ConnectionBroken(RemoteError):
    """The connection broke: whether a request was carried out is not known."""


@dataclass(frozen=True, slots=True)
class Login:
    """Which server, and who asks. What is left out is taken from where ``cvat-cli`` takes it.

    Attributes
    ----------
    host, port
        Address of the server; by default that of the active profile of ``cvat-cli``, or this computer.
    auth
        ``USER`` or ``USER:PASSWORD``; the password may be in the environment variable ``PASS``. By default the token
        in ``CVAT_ACCESS_TOKEN``.
    profile
        Name of a profile saved by ``cvat-cli``.
    organization
        Short name of an organization; empty for the personal workspace.
    insecure
        Whether to take any TLS certificate.
    """

    host: str | None = None
    port: int | None = None
    auth: str | None = field(default=None, repr=False)
    profile: str | None = None
    organization: str | None = None
    insecure: bool = False


class CvatClient:
    """A CVAT server that was logged in to.

    Requests that only read are tried again for half a minute if the server does not answer; those that change something
    are never sent twice.

    Parameters
    ----------
    client
        A ``cvat_sdk.Client`` that is logged in.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        _retry_longer(client)

    @property
    def host(self) -> str:
        """Address of the server, without anything secret."""
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
        if tuple(map(int, numbers)) < OLDEST_VERSION:
            oldest = ".".join(map(str, OLDEST_VERSION))
            raise RemoteError(
                f"the CVAT server {self.host} has version {text}; sam2v works with {oldest} and later: update the "
                "server"
            )

    def get(self, path: str, doing: str, **query: object) -> Any:
        """Ask for JSON; ``doing`` says in messages what was tried, such as ``"reading task 5"``."""
        return self._json(self._request("GET", path, doing, query, _JSON))

    def get_bytes(self, path: str, doing: str, **query: object) -> bytes:
        """Ask for a file."""
        return self._request("GET", path, doing, query, {})

    def change(self, method: str, path: str, body: Mapping[str, object], doing: str, **query: object) -> Any:
        """Send a request that changes something, once.

        Raises
        ------
        ConnectionBroken
            If no answer came, so that it may or may not have happened.
        RemoteError
            If the server refuses.
        """
        return self._json(self._request(method, path, doing, query, _JSON, dict(body)))

    def _request(
        self,
        method: str,
        path: str,
        doing: str,
        query: Mapping[str, object],
        headers: Mapping[str, str],
        body: object = None,
    ) -> bytes:
        try:
            # Without a schema the SDK reads the whole answer, so that one that breaks off is asked for again too.
            _, response = self._client.api_client.call_api(
                path,
                method,
                query_params=list(query.items()),
                header_params=dict(headers),
                body=body,
                _request_timeout=_TIMEOUT,
            )
            return bytes(response.data)
        except Exception as error:
            raise request_failure(error, self.host, doing) from None

    def _json(self, data: bytes) -> Any:
        try:
            return json.loads(data) if data else None
        except ValueError:
            raise RemoteError(f"{self.host} does not answer as a CVAT server does; is the address right?") from None


def connect(login: Login) -> CvatClient:
    """Log in, and find out whether the server can be worked with.

    Raises
    ------
    RemoteError
        If it cannot be reached, refuses, or is too old.
    MissingExtraError
        If the CVAT SDK is not installed.
    """
    sdk: Any
    try:
        sdk = import_module("cvat_sdk.core.auth")
        exceptions: Any = import_module("cvat_sdk.core.exceptions")
    except ImportError as error:
        raise MissingExtraError("cvat-sdk>=2.80", "cvat", "working with a CVAT server") from error
    _check_host(login.host)
    where = login.host or "of the profile, or on this computer,"
    try:
        client = CvatClient(sdk.make_client_from_cli(_parameters(login, sdk), logger=_silent()))
    except exceptions.CvatSdkException as error:  # such as an unknown profile; holds nothing secret
        raise RemoteError(str(error)) from None
    except RemoteError:
        raise
    except Exception as error:
        if getattr(error, "status", None) == 400:  # so CVAT answers a wrong name or password
            raise _login_failure(error, where) from None
        raise request_failure(error, where, "logging in") from None
    try:
        client.check_version()
    except RemoteError:
        client.close()
        raise
    return client


def request_failure(error: Exception, host: str, doing: str) -> RemoteError:
    """Put an error of the SDK in words, without what may be secret.

    Parameters
    ----------
    error
        As the SDK raised it.
    host
        Address of the server, for the message.
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
            reason = " ".join((_body(error) or "no reason is given").split())[:300]
            why = f"it answers {status}: {reason}"
    return RemoteError(f"the CVAT server {host} refuses {doing}: {why}")


def _login_failure(error: Exception, host: str) -> RemoteError:
    try:
        reasons = json.loads(_body(error)).get("non_field_errors", ())
        reason = " ".join(str(each) for each in reasons)[:300]
    except (ValueError, AttributeError, TypeError):
        reason = ""
    why = f"{_NOT_ACCEPTED}{f' ({reason})' if reason else ''}"
    return RemoteError(f"the CVAT server {host} refuses logging in: {why}")


def _body(error: Exception) -> str:
    body = getattr(error, "body", None)
    return body.decode(errors="replace") if isinstance(body, bytes) else str(body or "")


def _retry_longer(client: Any) -> None:
    """Let the SDK's connections wait longer for a server than the three attempts that it comes with.

    urllib3 tries requests again that change nothing by their method; the others only if they were never sent.
    """
    pools = client.api_client.rest_client.pool_manager
    pools.connection_pool_kw["retries"] = import_module("urllib3").Retry(
        _RETRIES,
        other=0,  # of these errors, as of TLS, urllib3 does not ask whether the request changes something
        status_forcelist=_PASSING,
        backoff_factor=_RETRY_FACTOR,
        raise_on_status=False,
        respect_retry_after_header=False,  # it may ask for hours
    )
    pools.clear()  # those that logging in opened have the old number


def _parameters(login: Login, sdk: Any) -> Any:
    auth = None if login.auth is None else sdk.get_auth_factory(login.auth)
    nothing_given = login.auth is None and login.profile is None and not os.environ.get(_TOKEN)
    has_profile = login.host is None and login.port is None and sdk.AuthStore().get_default_profile() is not None
    if nothing_given and not has_profile and not sys.stdin.isatty():
        raise RemoteError(
            f"nothing says who you are: set the environment variable {_TOKEN} to an access token of CVAT, or give "
            "--auth USER and the password in the environment variable PASS"
        )
    return sdk.ClientAuthParameters(
        profile=login.profile,
        auth=auth,
        server_host=login.host,
        server_port=login.port,
        insecure=login.insecure,
        organization=login.organization,
    )


def _check_host(host: str | None) -> None:
    if host is not None and urlsplit(host if "://" in host else f"//{host}").password is not None:
        raise RemoteError(
            "the address of the server holds a password, which would be seen in logs; give --auth USER and the "
            "password in the environment variable PASS"
        )


def _silent() -> logging.Logger:
    """Return a logger that says nothing: our own messages say it."""
    logger = logging.getLogger("sam2v.cvat")
    logger.propagate = False
    logger.addHandler(logging.NullHandler())
    return logger
