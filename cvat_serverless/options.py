"""Options of the commands that load a model."""

from __future__ import annotations

from typing import Annotated

import typer

MODEL_PANEL = "Model"

ModelOption = Annotated[
    str,
    typer.Option(
        "--model",
        metavar="NAME",
        envvar="SAM2V_MODEL",
        rich_help_panel=MODEL_PANEL,
        help="A name from 'sam2v models', or a .pt or .safetensors file.",
    ),
]
DeviceOption = Annotated[
    str, typer.Option("--device", rich_help_panel=MODEL_PANEL, help="auto, cpu, cuda, cuda:1, mps, ...")
]
ImageSizeOption = Annotated[
    int,
    typer.Option("--image-size", rich_help_panel=MODEL_PANEL, help="Side of the network input; 0: the model's own."),
]
