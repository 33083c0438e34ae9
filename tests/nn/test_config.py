"""Every network that can be built has the official names, shapes and sizes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from src_model.nn import MODEL_CONFIGS, Sam2Network, build_network

PARAMETERS = {
    "sam2-tiny": 38_945_986,
    "sam2.1-tiny": 38_962_498,
    "sam2.1-small": 46_060_354,
    "sam2.1-base-plus": 80_850_178,
    "sam2.1-large": 224_446_642,
}
"""Published sizes of the official networks."""

PARTS = {
    "image_encoder.trunk": 26_849_472,
    "image_encoder.neck": 369_664,
    "memory_attention": 5_922_304,
    "memory_encoder": 1_384_608,
    "sam_mask_decoder": 4_215_109,
    "sam_prompt_encoder": 6_220,
    "obj_ptr_proj": 197_376,
    "obj_ptr_tpos_proj": 16_448,
    "mask_downsample": 17,
}
"""Parameters of the parts of sam2.1-tiny."""

LISTED = {
    "sam2.1_t": "sam2.1-tiny",
    "sam2.1_s": "sam2.1-small",
    "sam2.1_b+": "sam2.1-base-plus",
    "sam2.1_l": "sam2.1-large",
    "sam2_t": "sam2-tiny",
}
"""Names in the list of official tensors, and ours."""


def without_storage(name: str) -> Sam2Network:
    """Build a network of shapes alone: the large one would take a gigabyte."""
    with torch.device("meta"):
        return build_network(MODEL_CONFIGS[name])


def test_the_default_and_all_official_networks_are_known():
    sizes = ("tiny", "small", "base-plus", "large")
    assert set(MODEL_CONFIGS) == {"default", *(f"{family}-{size}" for family in ("sam2", "sam2.1") for size in sizes)}
    assert all(config.name == name for name, config in MODEL_CONFIGS.items())


@pytest.mark.parametrize("name", PARAMETERS)
def test_official_networks_have_the_published_number_of_parameters(name: str):
    assert sum(p.numel() for p in without_storage(name).parameters()) == PARAMETERS[name]


@pytest.mark.parametrize("part", PARTS)
def test_each_part_has_the_published_number_of_parameters(part: str):
    module = without_storage("sam2.1-tiny").get_submodule(part)
    assert sum(p.numel() for p in module.parameters()) == PARTS[part]


@pytest.mark.parametrize("size", ["tiny", "small", "base-plus", "large"])
def test_sam2_1_adds_three_tensors_to_sam2(size: str):
    older, newer = (without_storage(f"{family}-{size}").state_dict() for family in ("sam2", "sam2.1"))
    added = newer.keys() - older.keys()
    assert added == {"no_obj_embed_spatial", "obj_ptr_tpos_proj.weight", "obj_ptr_tpos_proj.bias"}
    assert all(newer[key].shape == older[key].shape for key in older)


@pytest.mark.parametrize("listed", LISTED)
def test_names_and_shapes_are_those_of_the_official_checkpoints(listed: str):
    path = Path(__file__).resolve().parents[3] / "shared" / "reference" / "sam2_state_dict_keys.json"
    if not path.is_file():
        pytest.skip(f"the list of official tensors {path} is not here")
    official = {name: tuple(shape) for name, shape in json.loads(path.read_text())[listed]}
    ours = {name: tuple(tensor.shape) for name, tensor in without_storage(LISTED[listed]).state_dict().items()}
    assert ours == official


def test_the_default_network_shares_every_tensor_but_those_of_its_image_encoder():
    default = {n: t.shape for n, t in without_storage("default").state_dict().items()}
    official = {n: t.shape for n, t in without_storage("sam2.1-tiny").state_dict().items()}
    outside = {n for n in default if not n.startswith("image_encoder.")}
    assert outside <= official.keys()
    missing = {n for n in official if not n.startswith("image_encoder.")} - outside
    assert all(n.startswith(("memory_attention.layers.2.", "memory_attention.layers.3.")) for n in missing)
    differing = {n.rpartition(".")[0] for n in outside if default[n] != official[n]}
    narrower = {f"memory_attention.layers.{i}.linear{j}" for i in range(2) for j in (1, 2)}
    assert differing == narrower | {"sam_mask_decoder.conv_s0", "sam_mask_decoder.conv_s1"}


@pytest.mark.parametrize("name", MODEL_CONFIGS)
def test_input_sizes_fit_the_strides(name: str):
    config = MODEL_CONFIGS[name]
    assert config.image_size % config.trunk.size_multiple == 0
    assert config.trunk.size_multiple % config.stride == 0


def test_networks_are_built_in_evaluation_mode():
    assert not without_storage("default").training
