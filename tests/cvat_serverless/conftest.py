"""The functions on a tiny network of random weights."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from cvat_serverless.functions import FunctionService
from cvat_serverless.shared_model import SharedModel
from cvat_serverless.state import StateCodec
from cvat_serverless.store import LocalStore
from tests.cvat_serverless.asking import Asking, movie
from tests.tracking import tiny

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


@pytest.fixture(scope="session")
def network():
    return tiny.build()


@pytest.fixture(scope="session")
def predictor(network):
    return tiny.predictor(network)


@pytest.fixture
def make_service(predictor):
    """Sets a service up; every part can be given."""

    def make(*, model=None, store=None, codec=None) -> FunctionService:
        return FunctionService(model or SharedModel(predictor), store or LocalStore(), codec or StateCodec())

    return make


@pytest.fixture
def service(make_service):
    return make_service()


@pytest.fixture
def asking(service) -> Asking:
    return Asking(service)


@pytest.fixture(scope="session")
def frames() -> np.ndarray:
    return movie()


@pytest.fixture
def serving():
    """Serves a service on a free port of this computer while in the block; gives its address."""
    uvicorn = pytest.importorskip("uvicorn")
    pytest.importorskip("starlette")
    from cvat_serverless.server.app import FunctionServer

    @contextmanager
    def serve(service: FunctionService, **options: object) -> Iterator[str]:
        server = FunctionServer(service, port=8070, **options)
        runner = uvicorn.Server(uvicorn.Config(server.app, host="127.0.0.1", port=0, log_level="error"))
        thread = threading.Thread(target=runner.run, daemon=True)
        thread.start()
        while not runner.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        port = runner.servers[0].sockets[0].getsockname()[1]
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            runner.should_exit = True
            thread.join(30)

    return serve
