"""Metrics for Prometheus: requests, counts of the model, and what is held in memory."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric

    from cvat_serverless.functions import FunctionService

CONTENT_TYPE = CONTENT_TYPE_LATEST

_SECONDS = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)


class Metrics:
    """Requests as they come, and what the service holds whenever it is asked.

    Parameters
    ----------
    service
        The service that answers the requests.
    """

    def __init__(self, service: FunctionService) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter("sam2v_requests", "Requests answered", ("function", "status"), registry=self._registry)
        self._seconds = Histogram(
            "sam2v_request_seconds",
            "Time from the last byte of a request to its answer",
            ("function",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._registry.register(_ServiceMetrics(service))

    def answered(self, function: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(function, str(status)).inc()
        self._seconds.labels(function).observe(seconds)

    def text(self) -> bytes:
        """Write everything down."""
        return generate_latest(self._registry)


class _ServiceMetrics:
    """Reads the service's own counts, so that nothing of it needs to know Prometheus."""

    def __init__(self, service: FunctionService) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        """Give all metrics as they are now."""
        model = self._service.model
        for field in fields(model.counts):
            words = field.name.replace("_", " ").capitalize()
            yield CounterMetricFamily(f"sam2v_{field.name}", words, getattr(model.counts, field.name))
        tracks, track_bytes = self._service.store.size()
        yield GaugeMetricFamily("sam2v_tracks", "Objects remembered in this process", tracks)
        yield GaugeMetricFamily("sam2v_track_bytes", "Memory they take", track_bytes)
        yield GaugeMetricFamily("sam2v_cached_images", "Images whose features are kept", len(model.cache))
        yield GaugeMetricFamily("sam2v_cached_bytes", "Memory they take", model.cache.bytes_used)
