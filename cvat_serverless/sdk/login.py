"""Logging in to a CVAT server as CVAT's own command line does; what is secret is in no message and no file."""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from cvat_serverless.sdk.server import Server, failure, refused_login
from src_model.errors import MissingExtraError, RemoteError

_TOKEN = "CVAT_ACCESS_TOKEN"


@dataclass(frozen=True, slots=True)
class Login:
    """Which server, and who asks. What is left out is taken from where ``cvat-cli`` takes it.

    Attributes
    ----------
    host, port
        Of the server; by default that of the active profile of ``cvat-cli``, or this computer.
    auth
        ``USER`` or ``USER:PASSWORD``; the password may be in the environment variable ``PASS``. By default the token
        in ``CVAT_ACCESS_TOKEN``.
    profile
        Name of a profile saved by ``cvat-cli``.
    organization
        Short name; empty for the personal workspace.
    insecure
        Take any TLS certificate.
    """

    host: str | None = None
    port: int | None = None
    auth: str | None = field(default=None, repr=False)
    profile: str | None = None
    organization: str | None = None
    insecure: bool = False


def connect(login: Login) -> Server:
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
    try:
        server = Server(sdk.make_client_from_cli(_parameters(login, sdk), logger=_silent()))
    except exceptions.CvatSdkException as error:  # such as an unknown profile; holds nothing secret
        raise RemoteError(str(error)) from None
    except RemoteError:
        raise
    except Exception as error:
        # Not chained: the SDK's errors quote headers with session cookies.
        if getattr(error, "status", None) == 400:  # so a server answers a wrong name or password
            raise refused_login(error, login.host or "of the profile, or on this computer,") from None
        raise failure(error, login.host or "of the profile, or on this computer,", "logging in") from None
    try:
        server.check_version()
    except RemoteError:
        server.close()
        raise
    return server


def _parameters(login: Login, sdk: Any) -> Any:
    auth = None
    if login.auth is not None:
        auth = sdk.get_auth_factory(login.auth)
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
