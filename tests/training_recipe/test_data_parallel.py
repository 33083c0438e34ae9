"""Two processes compute what one would."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

pytest.importorskip("cv2", reason="making clips needs the extra 'recipe'")
pytest.importorskip("lightning_fabric", reason="training needs the extra 'recipe'")

REPOSITORY = Path(__file__).resolve().parents[2]


def run(out: Path, *launcher: str) -> tuple[dict[str, torch.Tensor], list[float]]:
    out.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    program = [sys.executable, *launcher, str(REPOSITORY / "tests" / "training_recipe" / "ddp_worker.py"), str(out)]
    done = subprocess.run(program, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with (out / "train.csv").open() as stream:
        losses = [float(row["loss"]) for row in csv.DictReader(stream)]
    return torch.load(out / "gradients.pt"), losses


@pytest.mark.slow
@pytest.mark.skipif(not torch.distributed.is_available(), reason="this torch has no distributed training")
def test_two_processes_give_the_gradient_of_one_with_the_same_batch(tmp_path) -> None:
    alone, losses = run(tmp_path / "alone")
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    together, same_losses = run(tmp_path / "together", *launcher)
    frozen = "image_encoder.trunk.patch_embed.conv1.weight"
    assert frozen not in alone
    assert together.keys() >= alone.keys()
    for name, gradient in together.items():
        expected = alone.get(name, torch.zeros_like(gradient))
        assert torch.allclose(gradient, expected, rtol=1e-3, atol=1e-6), name
    assert same_losses == pytest.approx(losses, rel=0.02)
