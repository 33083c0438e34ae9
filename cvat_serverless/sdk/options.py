"""Options that the commands share."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cvat_serverless.sdk.login import Login
    from cvat_serverless.sdk.task import TaskOrJob

_SERVER = "Server"

TaskOption = Annotated[int, typer.Option("--task", metavar="ID", help="Number of the task.")]
JobOption = Annotated[
    int | None, typer.Option("--job", metavar="ID", help="One job of it alone. Default: the whole task.")
]
HostOption = Annotated[
    str | None,
    typer.Option(
        "--server-host",
        rich_help_panel=_SERVER,
        help="Such as http://localhost:8080. Default: as cvat-cli has it, or http://localhost.",
    ),
]
PortOption = Annotated[int | None, typer.Option("--server-port", rich_help_panel=_SERVER, help="Its port.")]
AuthOption = Annotated[
    str | None,
    typer.Option(
        "--auth",
        metavar="USER[:PASS]",
        rich_help_panel=_SERVER,
        help="Better with the password in the environment variable PASS. Default: the token in CVAT_ACCESS_TOKEN.",
    ),
]
ProfileOption = Annotated[
    str | None, typer.Option("--profile", rich_help_panel=_SERVER, help="A profile saved by cvat-cli.")
]
OrganizationOption = Annotated[
    str | None,
    typer.Option("--organization", "--org", metavar="SLUG", rich_help_panel=_SERVER, help="Short name of it."),
]
InsecureOption = Annotated[bool, typer.Option("--insecure", rich_help_panel=_SERVER, help="Take any TLS certificate.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]


@contextmanager
def opened(login: Login, task: int, job: int | None = None) -> Iterator[TaskOrJob]:
    """Log in and look a task up, for a block."""
    from cvat_serverless.sdk.login import connect
    from cvat_serverless.sdk.task import open_task

    server = connect(login)
    try:
        yield open_task(server, task, job)
    finally:
        server.close()


def parse_span(text: str | None) -> tuple[int | None, int | None]:
    """Read ``--frames``: first frame, and the one after the last; None where left out.

    Raises
    ------
    typer.BadParameter
        If this is something else.
    """
    if text is None:
        return None, None
    start, colon, stop = (part.strip() for part in text.partition(":"))
    if not colon or not all(part.isdecimal() or not part for part in (start, stop)):
        raise typer.BadParameter(f"{text!r} is not START:STOP, such as 10:50, :50 or 10:", param_hint="--frames")
    return int(start) if start else None, int(stop) if stop else None
