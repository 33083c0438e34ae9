"""Options of ``sam2v serve cvat``."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from cvat_serverless.options import MODEL_PANEL

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
