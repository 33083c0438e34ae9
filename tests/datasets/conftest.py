"""What tests of data sets share."""

from __future__ import annotations

import pytest
import tifffile
from PIL import Image

from src_model.frames.stack import StackSource


@pytest.fixture
def no_pixels(monkeypatch):
    """Fail where a pixel is read."""

    def refuse(*_, **__):
        raise AssertionError("a pixel was read")

    monkeypatch.setattr(Image, "open", refuse)
    monkeypatch.setattr(tifffile, "TiffFile", refuse)
    monkeypatch.setattr(StackSource, "read", refuse)
