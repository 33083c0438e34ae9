from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import torch

from src_model.errors import CheckpointError
from src_model.nn import MODEL_CONFIGS
from src_model.weights import recognise_config
from src_model.weights.recognition import layout_difference

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from torch import Tensor

    Blank = Callable[[str], dict[str, Tensor]]

REFERENCE_NAMES = {
    "sam2.1_t": "sam2.1-tiny",
    "sam2.1_s": "sam2.1-small",
    "sam2.1_b+": "sam2.1-base-plus",
    "sam2.1_l": "sam2.1-large",
    "sam2_t": "sam2-tiny",
}


def of_shape(*shape: int) -> Tensor:
    return torch.zeros(()).expand(shape)


def reference_file(repository: Path, name: str) -> Path:
    path = repository.parent / "shared" / "reference" / name
    if not path.is_file():
        pytest.skip(f"the reference listing {path} is not here")
    return path


@pytest.mark.parametrize("name", MODEL_CONFIGS)
def test_every_network_is_recognised_by_its_own_tensors(name: str, blank: Blank):
    assert recognise_config(blank(name)) is MODEL_CONFIGS[name]


@pytest.mark.parametrize("key", REFERENCE_NAMES)
def test_the_official_checkpoints_are_recognised(key: str, repository: Path):
    listing = json.loads(reference_file(repository, "sam2_state_dict_keys.json").read_text())[key]
    assert recognise_config({name: of_shape(*shape) for name, shape in listing}).name == REFERENCE_NAMES[key]


def test_the_order_of_tensors_does_not_matter(blank: Blank):
    assert recognise_config(dict(reversed(blank("sam2-small").items()))).name == "sam2-small"


def test_sam_2_and_2_1_differ_by_three_tensors(blank: Blank):
    tensors = blank("sam2.1-tiny")
    for name in ("no_obj_embed_spatial", "obj_ptr_tpos_proj.weight", "obj_ptr_tpos_proj.bias"):
        del tensors[name]
    assert recognise_config(tensors).name == "sam2-tiny"


class TestWhatDoesNotFit:
    def test_missing_unexpected_and_reshaped_tensors_are_named_with_their_shapes(self, blank: Blank):
        tensors = blank("sam2.1-tiny")
        del tensors["no_mem_embed"]
        tensors["my_head.weight"] = of_shape(7, 5)
        tensors["memory_encoder.out_proj.weight"] = of_shape(32, 256, 1, 1)
        with pytest.raises(CheckpointError) as caught:
            recognise_config(tensors, source="tuned.pt")
        message = str(caught.value)
        assert message.startswith("tuned.pt is a checkpoint like 'sam2.1-tiny', but it does not fit.")
        assert "missing: no_mem_embed (1, 1, 256)" in message
        assert "unexpected: my_head.weight (7, 5)" in message
        assert "of another shape: memory_encoder.out_proj.weight (32, 256, 1, 1) instead of (64, 256, 1, 1)" in message

    def test_only_the_first_names_are_listed(self, blank: Blank):
        tensors = blank("default") | {f"extra.{i}": of_shape(1) for i in range(10)}
        with pytest.raises(
            CheckpointError, match=r"unexpected: extra.0 \(1,\), extra.1 \(1,\), extra.2 \(1,\) and 7 more"
        ):
            recognise_config(tensors)

    @pytest.mark.parametrize(("width", "trunk"), [(768, "ViT-B"), (1024, "ViT-L"), (1280, "ViT-H")])
    def test_a_sam_1_checkpoint_is_called_by_its_name(self, width: int, trunk: str):
        tensors = {
            "image_encoder.pos_embed": of_shape(1, 64, 64, width),
            "mask_decoder.mask_tokens.weight": of_shape(4, 256),
        }
        with pytest.raises(CheckpointError, match=rf"is a SAM 1 checkpoint \({trunk}\), which .* no memory"):
            recognise_config(tensors)

    def test_an_edgetam_checkpoint_is_called_by_its_name(self, repository: Path):
        lines = reference_file(repository, "edgetam_state_dict_keys.tsv").read_text().splitlines()
        pairs = (line.split("\t")[:2] for line in lines if "\t" in line)
        with pytest.raises(CheckpointError, match="is an EdgeTAM checkpoint, which is not supported"):
            recognise_config({name: of_shape(*json.loads(shape)) for name, shape in pairs})

    @pytest.mark.parametrize(
        ("name", "description"),
        [
            ("image_encoder.patch_embed.seq.0.c.weight", "a MobileSAM checkpoint"),
            ("vision_encoder.backbone.pos_embed", "in the format of transformers; get the .pt file"),
            ("detector.backbone.weight", "a SAM 3 checkpoint"),
            ("module.no_mem_embed", "save model.module.state_dict"),
            ("_orig_mod.no_mem_embed", "before torch.compile"),
        ],
    )
    def test_other_well_known_files_are_called_by_their_names(self, name: str, description: str):
        with pytest.raises(CheckpointError, match=description):
            recognise_config({name: of_shape(2)})

    def test_any_other_model_is_described_by_its_first_tensors(self):
        model = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Linear(5, 2))
        with pytest.raises(CheckpointError, match=r"a checkpoint of 4 tensors of a model that is not known") as caught:
            recognise_config(model.state_dict())
        assert "unexpected: 0.weight (5, 3), 0.bias (5,), 1.weight (2, 5) and 1 more" in str(caught.value)
        assert "Expected the tensors of one of: default, sam2.1-tiny" in str(caught.value)

    def test_an_empty_file_is_told(self):
        with pytest.raises(CheckpointError, match="is a checkpoint without any tensor"):
            recognise_config({})


def test_equal_layouts_have_no_difference():
    layout = {"a": (1, 2), "b": ()}
    difference = layout_difference(layout, dict(layout))
    assert difference.count == 0
    assert difference.shared == 2
    assert str(difference) == "none"
