"""Averages checkpoints of one network, in equal parts or others: the last step of making the bundled one.

python tools/average_checkpoints.py runs/a/continue.safetensors runs/b/continue.safetensors --out default.safetensors
python tools/average_checkpoints.py default.safetensors runs/c/continue.safetensors --shares 3 1 --out mixed.safetensors

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
    parser.add_argument("--shares", nargs="+", type=float, help="one for each part, in any unit; equal if left out")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    shares = torch.tensor(options.shares or [1.0] * len(options.parts))
    if len(shares) != len(options.parts) or (shares <= 0).any():
        parser.error(f"--shares needs a number over 0 for each of the {len(options.parts)} parts, not {options.shares}")
    shares /= shares.sum()
    weights, headers = zip(*map(read, options.parts), strict=True)
    network = build_network(MODEL_CONFIGS[headers[0]["config"]])
    network.load_state_dict(
        {name: sum(share * each[name] for share, each in zip(shares, weights, strict=True)) for name in weights[0]}
    )
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in options.parts]
    parts = [
        {"sha256": digest, "share": round(float(share), 6)}
        | {name: header[name] for name in ("training", "provenance", "average_of") if name in header}
        for digest, share, header in zip(digests, shares, headers, strict=True)
    ]
    kept = {name: headers[0][name] for name in ("licence", "derived_from")}
    save_checkpoint(network, options.out, dtype=torch.float16, metadata={**kept, "average_of": json.dumps(parts)})


if __name__ == "__main__":
    main()
