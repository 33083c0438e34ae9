"""Compiled programs on disk, so that only a machine's first use of a model has to make them."""

from __future__ import annotations

import hashlib
import logging
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from src_model.files import replacing

if TYPE_CHECKING:
    from pathlib import Path

_log = logging.getLogger(__name__)

_SUFFIX = ".openvino"
_DIGEST = hashlib.sha256().digest_size


@dataclass(frozen=True, slots=True)
class BlobFolder:
    """A folder of compiled programs; what was not used longest goes when it is full.

    Nothing that goes wrong with it stops anybody: a program that cannot be read is made again, one that cannot be
    written is made again next time.

    Attributes
    ----------
    path
        Made when the first program is written.
    byte_budget
        Bytes of programs at most.
    """

    path: Path
    byte_budget: int = 2 * 2**30

    def read(self, key: str) -> bytes | None:
        """Return what was written under a key; None if there is nothing, or it is damaged."""
        path = self._file(key)
        try:
            content = path.read_bytes()
            os.utime(path)
        except OSError:
            return None
        if hashlib.sha256(content[_DIGEST:]).digest() != content[:_DIGEST]:
            _log.warning("the compiled program %s is damaged and is made again", path)
            return None
        return content[_DIGEST:]

    def write(self, key: str, program: bytes) -> None:
        """Keep a program under a key."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with replacing(self._file(key), durable=False) as part:
                part.write_bytes(hashlib.sha256(program).digest() + program)
            self._shrink()
        except OSError as error:
            _log.warning("a compiled program cannot be kept in %s: %s", self.path, error)

    def _file(self, key: str) -> Path:
        return self.path / f"{key}{_SUFFIX}"

    def _shrink(self) -> None:
        held = [(path, path.stat()) for path in self.path.glob(f"*{_SUFFIX}")]
        held.sort(key=lambda item: item[1].st_mtime, reverse=True)
        total = 0
        for path, status in held:
            total += status.st_size
            if total > self.byte_budget:
                with suppress(OSError):
                    path.unlink()
