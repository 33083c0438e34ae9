"""What the process does with freed memory."""

from __future__ import annotations

import ctypes
import sys

import pytest

from src_model.nn.compute import keep_freed_memory


@pytest.fixture(autouse=True)
def _asked_anew() -> None:
    keep_freed_memory.cache_clear()


class Library:
    """A C library that notes what it is asked for."""

    def __init__(self) -> None:
        self.asked: dict[int, int] = {}

    def mallopt(self, number: int, value: int) -> int:
        self.asked[number] = value
        return 1


def test_glibc_is_asked_to_keep_what_is_freed(monkeypatch: pytest.MonkeyPatch):
    library = Library()
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    assert keep_freed_memory(123)
    assert library.asked == {-1: 123, -3: 2**25}


@pytest.mark.parametrize("platform", ["darwin", "win32", "linux"])
def test_elsewhere_nothing_is_done(monkeypatch: pytest.MonkeyPatch, platform: str):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert not keep_freed_memory()
