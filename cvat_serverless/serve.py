"""``sam2v serve cvat``: both functions in one process, where CVAT expects Nuclio's dashboard."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cvat_serverless import options as common
from src_model.errors import MissingExtraError

if TYPE_CHECKING:
    import uvicorn

    from cvat_serverless.settings import ServiceSettings

_SERVER, _MEMORY = "Server", "Memory"
_SHUTDOWN_SECONDS = 120
_MOST_AT_ONCE = 64


def serve_cvat(
    host: Annotated[
        str, typer.Option(help="Address to listen on. 0.0.0.0 is all; then a token is needed.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port; Nuclio's own is 8070.")] = 8070,
    token: Annotated[
        str,
        typer.Option(
            envvar="SAM2V_TOKEN",
            show_envvar=True,
            rich_help_panel=_SERVER,
            help="What CVAT must know: it sends it if CVAT_NUCLIO_HOST is 'sam2v:TOKEN@this-computer'.",
        ),
    ] = "",
    max_body_mb: Annotated[int, typer.Option(min=1, rich_help_panel=_SERVER, help="Largest request, in MiB.")] = 64,
    max_megapixels: Annotated[float, typer.Option(rich_help_panel=_SERVER, help="Largest image.")] = 80.0,
    wait: Annotated[
        float, typer.Option(rich_help_panel=_SERVER, help="Seconds to wait while the model is busy; CVAT waits 120.")
    ] = 100.0,
    model: common.ModelOption = "default",
    device: common.DeviceOption = "auto",
    precision: Annotated[
        Literal["auto", "exact", "fast"],
        typer.Option(
            rich_help_panel=common.MODEL_PANEL, help="auto, exact (float32) or fast (bfloat16 for the heavy parts)."
        ),
    ] = "auto",
    image_size: common.ImageSizeOption = 0,
    threads: Annotated[
        int, typer.Option(min=0, rich_help_panel=common.MODEL_PANEL, help="CPU threads; 0: as torch chooses.")
    ] = 0,
    cache_mb: Annotated[int, typer.Option(min=1, rich_help_panel=_MEMORY, help="MiB for recent images.")] = 512,
    store_mb: Annotated[int, typer.Option(min=1, rich_help_panel=_MEMORY, help="MiB for tracked objects.")] = 1024,
    max_age: Annotated[
        float, typer.Option(rich_help_panel=_MEMORY, help="Hours after which tracked objects are forgotten.")
    ] = 12.0,
    redis: Annotated[
        str,
        typer.Option(envvar="SAM2V_REDIS", rich_help_panel=_MEMORY, help="Share tracked objects: redis://host:6379/0."),
    ] = "",
    state_secret: Annotated[
        str,
        typer.Option(
            envvar="SAM2V_STATE_SECRET",
            rich_help_panel=_MEMORY,
            help="Makes tracker states unforgeable; the same for all replicas. Default: the token.",
        ),
    ] = "",
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
    make_server(settings, host=host, port=port, token=token, body_bytes=max_body_mb * 2**20).run()


def make_server(settings: ServiceSettings, *, host: str, port: int, token: str, body_bytes: int) -> uvicorn.Server:
    """Load the model and make a server that is ready to run.

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

    server = CvatServer(make_service(settings), port=port, token=token, limits=ServerLimits(body_bytes))
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
