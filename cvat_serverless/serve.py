"""``sam2v serve cvat``: both functions in one process, where CVAT expects Nuclio's dashboard."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from cvat_serverless import options as common
from cvat_serverless.server import options as opt
from src_model.errors import MissingExtraError

if TYPE_CHECKING:
    import uvicorn

    from cvat_serverless.settings import ServiceSettings

_SHUTDOWN_SECONDS = 120
_MOST_AT_ONCE = 64


def serve_cvat(
    host: opt.HostOption = "127.0.0.1",
    port: opt.PortOption = 8070,
    token: opt.TokenOption = "",
    max_body_mb: opt.MaxBodyOption = 64,
    max_waiting_mb: opt.MaxWaitingOption = 512,
    max_megapixels: opt.MaxMegapixelsOption = 80.0,
    wait: opt.WaitOption = 100.0,
    model: common.ModelOption = "default",
    device: common.DeviceOption = "auto",
    precision: opt.PrecisionOption = "auto",
    image_size: common.ImageSizeOption = 0,
    threads: opt.ThreadsOption = 0,
    cache_mb: opt.CacheOption = 512,
    store_mb: opt.StoreOption = 1024,
    max_age: opt.MaxAgeOption = 12.0,
    redis: opt.RedisOption = "",
    state_secret: opt.StateSecretOption = "",
) -> None:
    """Serve CVAT's AI tools: a tracker and an interactor, without Nuclio and Docker.

    Point a CVAT server here with CVAT_NUCLIO_HOST, CVAT_NUCLIO_PORT and CVAT_NUCLIO_INVOKE_METHOD=dashboard.
    """
    from cvat_serverless.server.access import check_token
    from cvat_serverless.settings import ServiceSettings

    check_token(host, token)
    settings = ServiceSettings(
        model=model,
        device=device,
        precision=precision,
        image_size=image_size,
        threads=threads,
        cache_mb=cache_mb,
        store_mb=store_mb,
        max_age_hours=max_age,
        wait_seconds=wait,
        max_megapixels=max_megapixels,
        redis=redis,
        state_secret=state_secret or token,
    )
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    sizes = (max_body_mb * 2**20, max_waiting_mb * 2**20)
    make_server(settings, host=host, port=port, token=token, sizes=sizes).run()


def make_server(
    settings: ServiceSettings, *, host: str, port: int, token: str, sizes: tuple[int, int]
) -> uvicorn.Server:
    """Load the model and make a server that is ready to run, with the largest bytes of a request and of all together.

    Raises
    ------
    MissingExtraError
        If the packages of the extra ``serve`` are not installed.
    Sam2vError
        If the model, the device or the store cannot be used.
    """
    try:
        import uvicorn

        from cvat_serverless.server.app import CvatServer, ServerLimits
    except ImportError as error:
        raise MissingExtraError(error.name or "starlette", "serve", "serving CVAT") from error
    from cvat_serverless.functions import make_service

    server = CvatServer(make_service(settings), port=port, token=token, limits=ServerLimits(*sizes))
    config = uvicorn.Config(
        server.app,
        host=host,
        port=port,
        log_level="info",
        access_log=False,
        server_header=False,
        limit_concurrency=_MOST_AT_ONCE,
        # Requests that are being answered are finished when the server is told to stop.
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )
    return uvicorn.Server(config)
