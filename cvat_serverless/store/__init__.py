"""Where tracks are kept between two requests: in this process, or in Redis for several replicas."""

from __future__ import annotations

from cvat_serverless.store.local import LocalStore, TrackStore

__all__ = ["LocalStore", "TrackStore"]
