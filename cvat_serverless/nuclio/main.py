"""The module that Nuclio loads, by the handler ``main:handler`` of each ``function.yaml``."""

from __future__ import annotations

from cvat_serverless.main import handler, init_context

__all__ = ["handler", "init_context"]
