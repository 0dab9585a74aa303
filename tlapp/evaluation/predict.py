"""What a classifier, or the backbone's own ImageNet head, says about pictures.

N pictures, D feature width, K classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tlapp.backbones.extractor import whole_backbone
from tlapp.backbones.features import FeatureFinished, extract_features
from tlapp.backbones.loading import Backbone, imagenet_scores
from tlapp.backbones.workers import core_count, open_workers
from tlapp.classifier import Classifier
from tlapp.data.decode import open_working_copy
from tlapp.data.images import Picture

_IMAGENET_TOP = 5


@dataclass(frozen=True)
class ClassProbability:
    """One class and how likely it is."""

    name: str
    probability: float  # 0 to 1


@dataclass(frozen=True)
class Prediction:
    """What is said about one picture."""

    ranked: tuple[ClassProbability, ...]  # most likely first


def predict(classifier: Classifier, pictures: Sequence[Picture]) -> tuple[Prediction, ...]:
    """For each picture all classes, most likely first; the probabilities of one sum to 1.

    Raises PictureError when a picture cannot be read.
    """
    if not pictures:
        return ()
    return head_predictions(classifier, features_of(classifier.backbone, pictures))


def head_predictions(classifier: Classifier, features_ND: Tensor) -> tuple[Prediction, ...]:
    """The same from features (float32) already made by the classifier's backbone: microseconds."""
    with torch.inference_mode():
        scores_NK = classifier.head(features_ND)
    return _ranked(scores_NK, classifier.class_names, len(classifier.class_names))


def predict_imagenet(backbone: Backbone, pictures: Sequence[Picture]) -> tuple[Prediction, ...]:
    """For each picture the five likeliest of the 1000 ImageNet classes, by the original head.

    Raises PictureError when a picture cannot be read.
    """

    @torch.inference_mode()
    def scores_of(picture: Picture) -> Tensor:
        x_CHW = backbone.preprocess.apply(open_working_copy(picture.read()))
        return imagenet_scores(backbone, x_CHW[None].contiguous(memory_format=torch.channels_last))

    if not pictures:
        return ()
    with open_workers(core_count()) as workers:
        scores_NK = torch.cat(list(workers.map(scores_of, pictures)))
    return _ranked(scores_NK, backbone.imagenet_classes, _IMAGENET_TOP)


def imagenet_predictions(backbone: Backbone, features_ND: Tensor) -> tuple[Prediction, ...]:
    """The same from features (float32) already made by the backbone: microseconds.

    Not exact for SqueezeNet, which averages after classifying; `predict_imagenet` is.
    """
    with torch.inference_mode():
        scores_NK = backbone.imagenet_head(features_ND)
    return _ranked(scores_NK, backbone.imagenet_classes, _IMAGENET_TOP)


def features_of(backbone: Backbone, pictures: Sequence[Picture]) -> Tensor:
    """Features_ND (float32) of the pictures, in their order, without cache; N is 1 or more."""
    extractor = whole_backbone(backbone)
    for event in extract_features(extractor, pictures, cache=None, should_stop=lambda: False):
        if isinstance(event, FeatureFinished):
            return event.features.features_ND
    raise AssertionError("extract_features ended without FeatureFinished")


def _ranked(scores_NK: Tensor, names: Sequence[str], count: int) -> tuple[Prediction, ...]:
    shares_NK, order_NK = scores_NK.softmax(dim=1).sort(dim=1, descending=True, stable=True)
    return tuple(
        Prediction(
            tuple(
                ClassProbability(names[index], share)
                for share, index in zip(shares[:count], order[:count], strict=True)
            )
        )
        for shares, order in zip(shares_NK.tolist(), order_NK.tolist(), strict=True)
    )
