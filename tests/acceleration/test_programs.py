"""Programs that OpenVINO runs."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from torch import nn

from src_model.acceleration import programs
from src_model.acceleration.blobs import BlobFolder
from src_model.acceleration.openvino_engine import OpenVinoEngine
from src_model.acceleration.programs import ProgramRequest, load_program
from src_model.nn.compute import has_bfloat16_units
from tests.acceleration.conftest import noise, remember
from tests.tracking import tiny

pytestmark = pytest.mark.usefixtures("openvino", "any_size")

F32, BF16 = torch.float32, torch.bfloat16


@pytest.fixture
def folder(tmp_path):
    return BlobFolder(tmp_path / "programs")


@pytest.fixture
def layer():
    torch.manual_seed(0)
    return nn.Linear(8, 4)


@pytest.fixture
def request_(layer):
    parameters = tuple(layer.parameters())
    return ProgramRequest(lambda: layer, parameters, "layer", ((-1, 8),), lambda: (noise(3, 8),))


@torch.no_grad()
def test_a_program_computes_what_its_module_does_for_any_size(request_, layer, folder):
    program = load_program(request_, F32, 1, folder)
    for rows in (1, 5, 200):
        torch.testing.assert_close(program(noise(rows, 8)), [layer(noise(rows, 8))])


@torch.no_grad()
def test_results_are_not_written_over_by_the_next_run(request_, layer, folder):
    program = load_program(request_, F32, 1, folder)
    (first,) = program(noise(2, 8))
    program(noise(2, 8, seed=1))
    torch.testing.assert_close(first, layer(noise(2, 8)))


def test_a_program_is_made_once_and_read_from_disk_then(request_, folder, monkeypatch):
    load_program(request_, F32, 1, folder)
    monkeypatch.setattr(programs, "_compiled", pytest.fail)
    load_program(request_, F32, 1, folder)
    load_program(request_, F32, 2, folder)


def test_a_program_that_openvino_cannot_read_is_made_again(request_, folder):
    load_program(request_, F32, 1, folder)
    (path,) = folder.path.iterdir()
    folder.write(path.stem, b"no program")
    load_program(request_, F32, 1, folder)
    assert len(folder.read(path.stem)) > 100


@pytest.mark.parametrize("change", ["weights", "label", "shapes", "sources"])
def test_another_program_has_another_file(request_, layer, folder, change, monkeypatch):
    load_program(request_, F32, 1, folder)
    if change == "weights":
        with torch.no_grad():
            layer.weight += 1
    if change == "sources":
        monkeypatch.setattr(programs, "_sources", lambda: "changed")
    changed = {"label": {"label": "other"}, "shapes": {"shapes": ((3, 8),)}}.get(change, {})
    load_program(replace(request_, **changed), F32, 1, folder)
    assert len(list(folder.path.iterdir())) == 2


@pytest.mark.parametrize("may_use_units", [True, False])
def test_bfloat16_has_a_program_of_its_own_only_where_it_has_units(request_, folder, may_use_units, monkeypatch):
    has_units = may_use_units and has_bfloat16_units()
    monkeypatch.setattr(programs, "has_bfloat16_units", lambda: has_units)
    for dtype in (F32, BF16):
        load_program(request_, dtype, 1, folder)
    assert len(list(folder.path.iterdir())) == (2 if has_units else 1)


def test_a_program_that_computes_something_else_is_refused(request_, folder, monkeypatch):
    converted = programs._converted
    monkeypatch.setattr(programs, "_converted", lambda _, example: converted(nn.Linear(8, 4), example))
    with pytest.raises(RuntimeError, match="the compiled layer is off by"):
        load_program(request_, F32, 1, folder)
    assert not folder.path.exists()


def test_openvino_reports_to_nobody(repository):
    program = (
        "import sys, torch; from src_model.acceleration.programs import _converted; "
        "_converted(torch.nn.Linear(2, 2), (torch.ones(1, 2),)); "
        "assert 'openvino' in sys.modules; assert not any('openvino_telemetry' in name for name in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=repository, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


@torch.no_grad()
def test_within_autocast_a_program_is_made_as_outside_of_it(request_, layer, folder):
    with torch.autocast("cpu", BF16):
        program = load_program(request_, F32, 1, folder)
        (result,) = program(noise(2, 8).bfloat16())
    torch.testing.assert_close(result, layer(noise(2, 8).bfloat16().float()))


@torch.no_grad()
def test_the_engine_agrees_with_torch_in_float32_over_a_clip(network, folder):
    logits = {}
    for name, engine in (("torch", None), ("openvino", OpenVinoEngine(network, folder))):
        session = tiny.predictor(network, engine=engine).start(tiny.make_movie(10))
        session.prompt(0, 1, points=[tiny.CLICK])
        logits[name] = [result.logits[1] for result in session.propagate() if 1 in result.logits]
        assert engine is None or engine.failures == {}
    torch.testing.assert_close(logits["openvino"], logits["torch"], atol=1e-3, rtol=0)


@torch.no_grad()
def test_the_engine_is_close_in_bfloat16(network, folder):
    engine, images, memory = OpenVinoEngine(network, folder), noise(1, 3, 64, 64), remember(objects=2)
    expected = network.encode_image(images).embedding
    with torch.autocast("cpu", BF16):
        embedding = engine.encode_image(images).embedding
        conditioned = engine.attend_memory(expected, memory)
    assert engine.failures == {}
    for result, truth in ((embedding, expected), (conditioned, network.attend_memory(expected, memory))):
        assert (result.float() - truth).square().mean() < 0.02**2 * truth.square().mean()
