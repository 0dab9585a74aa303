"""How long a training will take here: the training's own estimate, fed with what is known."""

from dataclasses import dataclass, replace

from tlapp.backbones.cache import FeatureCache
from tlapp.backbones.catalog import find_card
from tlapp.backbones.extractor import feature_key
from tlapp.backbones.weights import WeightsStore
from tlapp.data.images import LabeledImages
from tlapp.data.splits import Split
from tlapp.training.config import TrainConfig
from tlapp.training.estimate import Workload, estimate_seconds
from tlapp.workspace.shelf import BackboneShelf

MOST_LOOKED_UP = 5_000  # pictures; looking more up in the cache costs over a tenth of a second


@dataclass(frozen=True, eq=False)
class Estimates:
    """Estimates from speeds measured on this machine and features that are in the cache."""

    shelf: BackboneShelf
    weights: WeightsStore
    cache: FeatureCache

    def seconds(self, images: LabeledImages, split: Split, config: TrainConfig) -> float | None:
        """Expected wall time; None: this backbone's speed is not measured yet."""
        speed = self.shelf.speed(config.backbone)
        if speed is None:
            return None
        work = Workload(
            train_count=len(split.train),
            valid_count=len(split.valid),
            class_count=len(images.class_names),
            cached_count=self._cached_count(images, split, config),
            stage_shares=self.shelf.stage_shares(config.backbone),
        )
        backbone = self.shelf.sketch(config.backbone)
        return estimate_seconds(backbone, config, work, images_per_second=speed)

    def _cached_count(self, images: LabeledImages, split: Split, config: TrainConfig) -> int:
        card = find_card(config.backbone)
        places = (*split.train, *split.valid)
        is_frozen = config.freeze == "head" and config.pretrained
        if not is_frozen or len(places) > MOST_LOOKED_UP or not self.weights.is_ready(card):
            return 0
        backbone = replace(
            self.shelf.sketch(card.name), weights_hash=self.weights.weights_hash(card)
        )
        image_ids = [images.images[place].image_id for place in places]
        return sum(self.cache.is_kept(feature_key(backbone), image_ids))
