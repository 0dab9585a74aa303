"""Feature extraction end to end (decoding included) over the best bare forward pass.

The network is the same, EfficientNet-Lite0; the pictures are those of clothing10. Bare passes and
extractions take turns, and the best of each counts, so that another program's load hits both.
"""

import time
from pathlib import Path

from tests.benchmarks.bare_forward import BareForward, best_bare_forward
from tests.benchmarks.data_sets import photographs
from tests.benchmarks.rows import Row
from tests.benchmarks.stored import default_backbone, pictures_and_labels
from tlapp.backbones.cache import FeatureCache
from tlapp.backbones.extractor import whole_backbone
from tlapp.backbones.features import FeatureFinished, extract_features
from tlapp.backbones.loading import Backbone
from tlapp.data.images import Picture

ROUNDS = 2


def measure(folder: Path) -> tuple[Row, ...]:
    """Pictures per second: bare, end to end, and from the cache."""
    data = photographs("clothing10", folder)
    pictures = pictures_and_labels(data / "train")[0] + pictures_and_labels(data / "val")[0]
    backbone = default_backbone()
    bare = BareForward(0.0, 0, 1)
    extraction_seconds = float("inf")
    for _ in range(ROUNDS):
        round_best = best_bare_forward(backbone.module, backbone.preprocess.crop_pixels)
        bare = max(bare, round_best, key=lambda best: best.pictures_per_second)
        extraction_seconds = min(extraction_seconds, _seconds(backbone, pictures, None))
    cache = FeatureCache(folder / "features", 10**9)
    _seconds(backbone, pictures, cache)
    cached_seconds = min(_seconds(backbone, pictures, cache) for _ in range(ROUNDS))
    speed = len(pictures) / extraction_seconds
    ratio = speed / bare.pictures_per_second
    return (
        Row(f"best bare forward pass ({bare})", bare.pictures_per_second, "pictures/s"),
        Row("features, decoding included", speed, "pictures/s", ratio, ">= 0.8"),
        Row(f"features of {len(pictures)} pictures from the cache", cached_seconds * 1000, "ms"),
    )


def _seconds(
    backbone: Backbone, pictures: tuple[Picture, ...], cache: FeatureCache | None
) -> float:
    started = time.perf_counter()
    *_, last = extract_features(
        whole_backbone(backbone), pictures, cache=cache, should_stop=lambda: False
    )
    assert isinstance(last, FeatureFinished)
    return time.perf_counter() - started
