"""``sam2v serve cvat``: both functions in one process, where CVAT expects Nuclio's dashboard."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cvat_serverless.options import MODEL_PANEL, DeviceOption, ImageSizeOption, ModelOption
from src_model.errors import MissingExtraError

if TYPE_CHECKING:
    import uvicorn

    from cvat_serverless.settings import ServiceSettings

_SHUTDOWN_SECONDS = 120
"""As long as CVAT waits for an answer; requests under way are finished in this time."""
_MAX_CONNECTIONS = 64

_SERVER, _MEMORY = "Server", "Memory"

HostOption = Annotated[str, typer.Option(help="Address to listen on. 0.0.0.0 is all; then a token is needed.")]
PortOption = Annotated[int, typer.Option(min=1, max=65535, help="Port; Nuclio's own is 8070.")]
TokenOption = Annotated[
    str,
    typer.Option(
        envvar="SAM2V_TOKEN",
        show_envvar=True,
        rich_help_panel=_SERVER,
        help="What CVAT must know: it sends it if its CVAT_NUCLIO_FUNCTION_NAMESPACE is the token.",
    ),
]
MaxBodyOption = Annotated[int, typer.Option(min=1, rich_help_panel=_SERVER, help="Largest request, in MiB.")]
MaxWaitingOption = Annotated[
    int, typer.Option(min=1, rich_help_panel=_SERVER, help="All requests that wait or are answered, in MiB.")
]
MaxMegapixelsOption = Annotated[float, typer.Option(rich_help_panel=_SERVER, help="Largest image.")]
WaitOption = Annotated[
    float, typer.Option(rich_help_panel=_SERVER, help="Seconds to wait while the model is busy; CVAT waits 120.")
]
PrecisionOption = Annotated[
    Literal["auto", "exact", "fast"],
    typer.Option(rich_help_panel=MODEL_PANEL, help="auto, exact (float32) or fast (bfloat16 for the heavy parts)."),
]
ThreadsOption = Annotated[
    int, typer.Option(min=0, rich_help_panel=MODEL_PANEL, help="CPU threads; 0: as torch chooses.")
]
CacheOption = Annotated[int, typer.Option(min=1, rich_help_panel=_MEMORY, help="MiB for recent images.")]
StoreOption = Annotated[int, typer.Option(min=1, rich_help_panel=_MEMORY, help="MiB for tracked objects.")]
MaxAgeOption = Annotated[
    float, typer.Option(rich_help_panel=_MEMORY, help="Hours after which tracked objects are forgotten.")
]
RedisOption = Annotated[
    str,
    typer.Option(envvar="SAM2V_REDIS", rich_help_panel=_MEMORY, help="Share tracked objects: redis://host:6379/0."),
]
StateSecretOption = Annotated[
    str,
    typer.Option(
        envvar="SAM2V_STATE_SECRET",
        rich_help_panel=_MEMORY,
        help="Makes tracker states unforgeable; the same for all replicas. Default: the token.",
    ),
]


def serve_cvat(
    host: HostOption = "127.0.0.1",
    port: PortOption = 8070,
    token: TokenOption = "",
    max_body_mb: MaxBodyOption = 64,
    max_waiting_mb: MaxWaitingOption = 512,
    max_megapixels: MaxMegapixelsOption = 80.0,
    wait: WaitOption = 100.0,
    model: ModelOption = "default",
    device: DeviceOption = "auto",
    precision: PrecisionOption = "auto",
    image_size: ImageSizeOption = 0,
    threads: ThreadsOption = 0,
    cache_mb: CacheOption = 512,
    store_mb: StoreOption = 1024,
    max_age: MaxAgeOption = 12.0,
    redis: RedisOption = "",
    state_secret: StateSecretOption = "",
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
    make_server(settings, host, port, token, (max_body_mb * 2**20, max_waiting_mb * 2**20)).run()


def make_server(settings: ServiceSettings, host: str, port: int, token: str, sizes: tuple[int, int]) -> uvicorn.Server:
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

        from cvat_serverless.server.app import FunctionServer, ServerLimits
    except ImportError as error:
        raise MissingExtraError(error.name or "starlette", "serve", "serving CVAT") from error
    from cvat_serverless.functions import make_service

    server = FunctionServer(make_service(settings), port=port, token=token, limits=ServerLimits(*sizes))
    config = uvicorn.Config(
        server.app,
        host=host,
        port=port,
        log_level="info",
        access_log=False,
        server_header=False,
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )
    return uvicorn.Server(config)
