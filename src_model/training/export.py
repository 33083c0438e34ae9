"""Turn a training run into a checkpoint that can be shipped.

Run as ``python -m src_model.training.export runs/second/last.pt default.safetensors``.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import torch

from src_model.nn import MODEL_CONFIGS, build_network
from src_model.weights import save_checkpoint

_NOTES = {
    "licence": "Apache-2.0",
    "derived_from": "MobileSAM (Apache-2.0): image encoder, prompt encoder, mask decoder",
}


def export(run: Path, target: Path) -> str:
    """Write the averaged weights of a run as half floats; returns the SHA-256 of the file."""
    content = torch.load(run, map_location="cpu", weights_only=True)
    network = build_network(MODEL_CONFIGS["default"])
    network.load_state_dict(content["average"])
    save_checkpoint(network, target, dtype=torch.float16, metadata=_NOTES)
    return hashlib.sha256(target.read_bytes()).hexdigest()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="the last.pt of a training run")
    parser.add_argument("target", type=Path, help="the .safetensors file to write")
    given = parser.parse_args()
    digest = export(given.run, given.target)
    print(f"{given.target}: {given.target.stat().st_size:,} bytes, SHA-256 {digest}")  # noqa: T201


if __name__ == "__main__":
    main()
