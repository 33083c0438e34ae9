"""Who may ask: everybody on this computer, and elsewhere those who know the token."""

from __future__ import annotations

import binascii
import ipaddress
import secrets
from base64 import b64decode

from src_model.errors import RequestError

_SHORTEST_TOKEN = 16


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


def is_allowed(header: str | None, token: str) -> bool:
    """Whether an ``Authorization`` header has the token.

    CVAT knows no tokens of functions, but a host ``user:token@name`` in its settings makes it send one as the password
    of basic authentication.
    """
    if not token:
        return True
    kind, _, value = (header or "").partition(" ")
    if kind.lower() == "basic":
        try:
            value = b64decode(value, validate=True).decode("utf-8").partition(":")[2]
        except (binascii.Error, ValueError):
            return False
    elif kind.lower() != "bearer":
        return False
    return secrets.compare_digest(value.strip().encode(), token.encode())
