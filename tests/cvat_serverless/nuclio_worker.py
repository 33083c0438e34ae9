"""A worker as Nuclio runs it: MessagePack with bytes for keys comes in, one line of JSON goes out."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

import nuclio_sdk
import nuclio_sdk.json_encoder


@dataclass
class WorkerAnswer:
    status: int
    content_type: str
    body: Any


class Worker:
    """Loads a module with ``init_context`` and ``handler`` and gives it events."""

    def __init__(self, module: Any) -> None:
        self._module = module
        self._encode = nuclio_sdk.json_encoder.Encoder().encode
        self.context = nuclio_sdk.Context(nuclio_sdk.Logger(level=50), nuclio_sdk.Platform("local"), worker_id="0")
        module.init_context(self.context)

    def post(self, body: bytes, content_type: str = "application/json") -> WorkerAnswer:
        event = nuclio_sdk.Event.deserialize(_message(body, content_type))
        output = self._module.handler(self.context, event)
        response = nuclio_sdk.Response.from_entrypoint_output(self._encode, output)
        line = json.loads(self._encode(response))
        text = line["body"]
        if line["body_encoding"] == "base64":
            text = base64.b64decode(text).decode()
        return WorkerAnswer(line["status_code"], line["content_type"], json.loads(text))


def _message(body: bytes, content_type: str) -> dict[bytes, Any]:
    return {
        b"body": body,
        b"content_type": content_type.encode(),
        b"trigger": {b"kind": b"http", b"name": b"http"},
        b"fields": {},
        b"headers": {b"Content-Type": content_type.encode(), b"User-Agent": b"CVAT"},
        b"id": b"1",
        b"method": b"POST",
        b"path": b"/",
        b"size": len(body),
        b"timestamp": 1_700_000_000,
        b"url": b"/",
        b"shard_id": 0,
        b"num_shards": 1,
        b"type": b"",
        b"type_version": b"",
        b"version": b"",
    }
