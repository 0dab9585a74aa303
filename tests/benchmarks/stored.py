"""A folder with `train/` and `val/` in memory: its pictures, their default features, a training."""

import random
from dataclasses import replace
from pathlib import Path

import torch

from tlapp.backbones.catalog import DEFAULT_BACKBONE, find_card
from tlapp.backbones.loading import Backbone, load_backbone
from tlapp.backbones.weights import WeightsStore
from tlapp.data.decode import make_working_copy
from tlapp.data.images import LabeledImage, LabeledImages, Picture
from tlapp.data.splits import Split
from tlapp.evaluation.predict import features_of
from tlapp.settings import LOCAL_LIMITS
from tlapp.training.config import TrainConfig
from tlapp.training.head import HeadData
from tlapp.training.task import TrainJob


def default_backbone() -> Backbone:
    """EfficientNet-Lite0; its weights come with the installation."""
    return load_backbone(find_card(DEFAULT_BACKBONE), WeightsStore(Path("no-such-folder")))


def pictures_and_labels(folder: Path) -> tuple[tuple[Picture, ...], torch.Tensor]:
    """The pictures of one part, class by class, with labels_N (int64)."""
    pictures: list[Picture] = []
    labels: list[int] = []
    classes = sorted(path for path in folder.iterdir() if path.is_dir())
    for label, class_folder in enumerate(classes):
        for path in sorted(class_folder.iterdir()):
            copy = make_working_copy(path.read_bytes(), name=path.name, limits=LOCAL_LIMITS)
            encoded = copy.encoded
            pictures.append(Picture(copy.image_id, lambda _, encoded=encoded: encoded))
            labels.append(label)
    return tuple(pictures), torch.tensor(labels)


def features_and_labels(folder: Path) -> HeadData:
    """What a head learns from, on the folder's own split."""
    backbone = default_backbone()
    train, train_labels_N = pictures_and_labels(folder / "train")
    valid, valid_labels_N = pictures_and_labels(folder / "val")
    return HeadData(
        train_ND=features_of(backbone, train),
        train_labels_N=train_labels_N,
        valid_ND=features_of(backbone, valid),
        valid_labels_N=valid_labels_N,
        class_count=int(train_labels_N.max()) + 1,
    )


def training_of(source: Path, backbone: Backbone, *phases: TrainConfig) -> TrainJob:
    """What is to be trained on this folder's own split."""
    parts = [pictures_and_labels(source / part) for part in ("train", "val")]
    pictures = [picture for part, _ in parts for picture in part]
    labels = torch.cat([labels_N for _, labels_N in parts]).tolist()
    names = tuple(f"class {label}" for label in range(max(labels) + 1))
    images = tuple(
        LabeledImage(picture.image_id, label, "")
        for picture, label in zip(pictures, labels, strict=True)
    )
    train_count = len(parts[0][0])
    by_id = {picture.image_id: picture for picture in pictures}
    return TrainJob(
        images=LabeledImages(names, images),
        split=Split(tuple(range(train_count)), tuple(range(train_count, len(pictures))), ()),
        picture_of=by_id.__getitem__,
        backbone=backbone,
        phases=phases,
    )


def few_of(job: TrainJob, *, classes: int, per_class: int, seed: int) -> TrainJob:
    """The same with so many classes, drawn at random, and so many pictures of each to train on."""
    draw = random.Random(seed)
    images = job.images.images
    chosen = sorted(draw.sample(range(len(job.images.class_names)), classes))
    train: list[int] = []
    for label in chosen:
        mine = [index for index in job.split.train if images[index].class_index == label]
        train += draw.sample(mine, min(per_class, len(mine)))
    valid = [index for index in job.split.valid if images[index].class_index in chosen]
    kept = tuple(
        replace(images[index], class_index=chosen.index(images[index].class_index))
        for index in (*train, *valid)
    )
    names = tuple(job.images.class_names[label] for label in chosen)
    places = tuple(range(len(kept)))
    return replace(
        job,
        images=LabeledImages(names, kept),
        split=Split(places[: len(train)], places[len(train) :], ()),
    )
