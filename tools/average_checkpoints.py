"""Averages checkpoints of one network, in equal parts: the last step of making the bundled one.

python tools/average_checkpoints.py runs/a/continue.safetensors runs/b/continue.safetensors --out default.safetensors

The header of the result tells of each part its digest, its training and where that began.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors import safe_open

from src_model.nn import MODEL_CONFIGS, build_network
from src_model.weights import save_checkpoint

if TYPE_CHECKING:
    from torch import Tensor


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read weights in float32, and the header."""
    with safe_open(str(path), "pt") as file:
        return {name: file.get_tensor(name).float() for name in file.keys()}, file.metadata() or {}  # noqa: SIM118


def main() -> None:
    """Read, average, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    weights, headers = zip(*map(read, options.parts), strict=True)
    network = build_network(MODEL_CONFIGS[headers[0]["config"]])
    network.load_state_dict({name: torch.stack([each[name] for each in weights]).mean(0) for name in weights[0]})
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in options.parts]
    parts = [
        {"sha256": digest, "training": header.get("training", ""), "provenance": header.get("provenance", "")}
        for digest, header in zip(digests, headers, strict=True)
    ]
    kept = {name: headers[0][name] for name in ("licence", "derived_from")}
    save_checkpoint(network, options.out, dtype=torch.float16, metadata={**kept, "average_of": json.dumps(parts)})


if __name__ == "__main__":
    main()
