"""Which pictures are learned from and which are held out: stratified, seeded, without leaks."""

import random
from collections import Counter, defaultdict
from dataclasses import dataclass

from tlapp.data.images import LabeledImages
from tlapp.errors import DataError
from tlapp.messages import message, number


@dataclass(frozen=True)
class Split:
    """Indices into `LabeledImages.images`, each at most once, ascending."""

    train: tuple[int, ...]
    valid: tuple[int, ...]  # held out: the accuracy that is shown while training
    test: tuple[int, ...]  # put aside by the folder itself; seen by nothing before the end


def split_images(images: LabeledImages, *, held_out_share: float, seed: int) -> Split:
    """The split of `images`; the same one for the same pictures and seed.

    The folder's own `train` and `valid` are kept if it has both, its `test` in any case. Otherwise
    `held_out_share` (0 to 0.9) of each class is held out, at least one picture and never the last
    one. Identical pictures are on one side: `train`, if the folder has them on several. Raises
    `DataError`.
    """
    if not 0 <= held_out_share <= 0.9:
        raise DataError(
            message(
                "Cannot hold out {percent}% of the pictures.", percent=number(held_out_share * 100)
            ),
            hint=message("Choose a share between 0 % and 90 %."),
        )
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for index, image in enumerate(images.images):
        groups[image.image_id].append(index)
    parts = {image_id: _part_of(images, group) for image_id, group in groups.items()}
    if not {"train", "valid"} <= set(parts.values()):
        rest = {image_id: group for image_id, group in groups.items() if parts[image_id] != "test"}
        held_out = _held_out(images, rest, held_out_share, seed)
        parts.update({image_id: "valid" if image_id in held_out else "train" for image_id in rest})
    sides: dict[str, list[int]] = {"train": [], "valid": [], "test": []}
    for image_id, group in groups.items():
        sides[parts[image_id] or "train"].extend(group)
    return Split(*(tuple(sorted(sides[side])) for side in ("train", "valid", "test")))


def _part_of(images: LabeledImages, group: list[int]) -> str:
    """The first of train, "", valid, test that the folder assigns to a copy of this picture."""
    parts = {images.images[index].part for index in group}
    return next(part for part in ("train", "", "valid", "test") if part in parts)


def _held_out(
    images: LabeledImages, groups: dict[str, list[int]], share: float, seed: int
) -> set[str]:
    """The ids of the pictures to hold out."""
    by_class: defaultdict[int, list[str]] = defaultdict(list)
    for image_id, group in groups.items():
        labels = Counter(images.images[index].class_index for index in group)
        by_class[labels.most_common(1)[0][0]].append(image_id)
    held_out: set[str] = set()
    generator = random.Random(seed)
    for class_index in sorted(by_class):
        image_ids = sorted(by_class[class_index])  # not the order in which they were uploaded
        generator.shuffle(image_ids)
        count = sum(len(groups[image_id]) for image_id in image_ids)
        wanted = max(1, round(count * share)) if share > 0 else 0
        taken = 0
        for image_id in image_ids[:-1]:
            if taken >= wanted:
                break
            held_out.add(image_id)
            taken += len(groups[image_id])
    return held_out
