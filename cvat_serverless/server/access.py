"""Who may ask: everybody on this computer, and elsewhere those who know the token."""

from __future__ import annotations

import binascii
import ipaddress
import secrets
from base64 import b64decode
from typing import TYPE_CHECKING

from src_model.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHORTEST_TOKEN = 16
_NAMESPACE = "x-nuclio-function-namespace"


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this computer alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_token(host: str, token: str) -> None:
    """Refuse to listen for others without a token.

    Raises
    ------
    RequestError
        If there is none where one is needed, or it can be guessed.
    """
    if not token and not is_loopback(host):
        raise RequestError(
            f"others can reach {host}, so a token is needed: --token or SAM2V_TOKEN, for instance "
            f"{secrets.token_urlsafe(24)}"
        )
    if token and len(token) < _SHORTEST_TOKEN:
        raise RequestError(f"the token has {len(token)} letters; at least {_SHORTEST_TOKEN} cannot be guessed")


def is_allowed(headers: Mapping[str, str], token: str) -> bool:
    """Whether the headers of a request have the token, as ``{name in lower case: value}``.

    CVAT knows no tokens of functions, but it sends ``CVAT_NUCLIO_FUNCTION_NAMESPACE`` with every request, in a header
    of its own which no page and no log shows. A host ``user:token@name`` in its settings makes it send one as the
    password of basic authentication; CVAT shows that to its users whenever a request fails.
    """
    if not token:
        return True
    given = (headers.get(_NAMESPACE, ""), _authorized(headers.get("authorization", "")))
    return any(secrets.compare_digest(value.strip().encode(), token.encode()) for value in given)


def _authorized(header: str) -> str:
    """Return the password of basic authentication, or the token of a bearer; empty if there is neither."""
    kind, _, value = header.partition(" ")
    match kind.lower():
        case "bearer":
            return value
        case "basic":
            try:
                return b64decode(value, validate=True).decode("utf-8").partition(":")[2]
            except (binascii.Error, ValueError):
                return ""
    return ""
