"""Who may ask."""

from __future__ import annotations

from base64 import b64encode

import pytest

from cvat_serverless.server.access import check_token, is_allowed, is_loopback
from src_model.errors import RequestError

TOKEN = "0123456789abcdefgh"


def basic(text: str) -> str:
    return f"Basic {b64encode(text.encode()).decode()}"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.1.2.3"])
def test_this_computer_needs_no_token(host):
    assert is_loopback(host)
    check_token(host, "")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "gpu-box", "localhost.example.org", ""])
def test_others_need_one(host):
    assert not is_loopback(host)
    with pytest.raises(RequestError, match="SAM2V_TOKEN"):
        check_token(host, "")
    check_token(host, TOKEN)


def test_a_token_that_can_be_guessed_is_refused():
    with pytest.raises(RequestError, match="6 letters"):
        check_token("127.0.0.1", "secret")


@pytest.mark.parametrize("header", [f"Bearer {TOKEN}", f"bearer {TOKEN}", basic(f"sam2v:{TOKEN}"), basic(f":{TOKEN}")])
def test_the_token_is_taken_as_bearer_or_as_a_password(header):
    assert is_allowed({"authorization": header}, TOKEN)


def test_the_token_is_taken_as_the_namespace_that_cvat_sends_with_every_request():
    assert is_allowed({"x-nuclio-function-namespace": TOKEN}, TOKEN)
    assert is_allowed({"x-nuclio-function-namespace": TOKEN, "authorization": "Bearer wrong"}, TOKEN)
    assert is_allowed({"x-nuclio-function-namespace": "nuclio", "authorization": f"Bearer {TOKEN}"}, TOKEN)


@pytest.mark.parametrize("namespace", ["", "nuclio", TOKEN[:-1], f"{TOKEN}x", TOKEN.upper(), "\xe4" * 18])
def test_another_namespace_is_not(namespace):
    assert not is_allowed({"x-nuclio-function-namespace": namespace}, TOKEN)


@pytest.mark.parametrize(
    "header", ["", TOKEN, "Bearer", "Bearer x", "Basic %%%", basic(TOKEN), basic("a:b"), f"Digest {TOKEN}"]
)
def test_anything_else_is_not(header):
    assert not is_allowed({"authorization": header}, TOKEN)


def test_without_a_token_everybody_may_ask():
    assert is_allowed({}, "")
