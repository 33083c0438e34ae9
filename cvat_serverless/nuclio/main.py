"""The module that Nuclio loads, by the handler ``main:handler`` of each ``function.yaml``.

One handler answers both functions; the environment variable ``SAM2V_FUNCTION`` says which of them it is.
"""

from __future__ import annotations

import logging
import os
from typing import Any

from cvat_serverless.functions import make_service
from cvat_serverless.settings import ServiceSettings


def init_context(context: Any) -> None:
    """Load the model once, before the worker takes requests.

    Parameters
    ----------
    context
        Nuclio's ``Context``, whose ``user_data`` is kept for the requests of this worker.

    Raises
    ------
    Sam2vError
        If the model, the device or the store cannot be used; Nuclio then shows the message and starts no worker.
    """
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    context.user_data.service = make_service(ServiceSettings.from_environment(os.environ))
    context.user_data.function = os.environ.get("SAM2V_FUNCTION", "")
    context.logger.info(f"{context.user_data.function or 'sam2v'} is ready")


def handler(context: Any, event: Any) -> Any:
    """Answer one request.

    Parameters
    ----------
    context
        Nuclio's ``Context``, set up by :func:`init_context`.
    event
        Nuclio's ``Event``; its body is parsed already if it is JSON.

    Returns
    -------
    nuclio_sdk.Response
        JSON; mistakes of the request are 4xx with a ``message``.
    """
    content_type = event.content_type
    if isinstance(content_type, bytes):  # as the MessagePack between Nuclio and its worker has it
        content_type = content_type.decode("latin-1")
    reply = context.user_data.service.answer(context.user_data.function, event.body, content_type)
    return context.Response(body=reply.body, content_type="application/json", status_code=reply.status)
