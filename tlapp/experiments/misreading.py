"""Mistakes in how a trained network is asked: pictures read wrongly, or the wrong mode."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from tlapp.backbones.cache import FeatureCache
from tlapp.backbones.loading import MapHead
from tlapp.classifier import Classifier
from tlapp.data.preprocess import Preprocess
from tlapp.experiments.bench import (
    Bench,
    Maker,
    MistakeValue,
    Side,
    held_out,
)
from tlapp.experiments.inputs import (
    See,
    as_seen_by,
    correctly,
    drift_statistics,
    hits_with,
    in_training_mode,
)
from tlapp.stopping import ShouldStop


def reading(see: Callable[[Preprocess], See]) -> Maker:
    """A mistake in how pictures are read when the run is asked; nothing is trained."""

    def make(
        start: MistakeValue, bench: Bench, cache: FeatureCache | None, should_stop: ShouldStop
    ) -> Iterator[MistakeValue]:
        preprocess = bench.classifier.backbone.preprocess
        right, wrong = correctly(preprocess), see(preprocess)
        picture = held_out(bench.job)[0][0]
        views = tuple(as_seen_by(preprocess, each, picture) for each in (right, wrong))
        seen = replace(start, views=views)
        asked = ((bench.classifier, right), (bench.classifier, wrong))
        yield from _asked_both(seen, bench, asked, should_stop)

    return make


def _asked_both(
    start: MistakeValue,
    bench: Bench,
    ways: tuple[tuple[Classifier, See], tuple[Classifier, See]],
    should_stop: ShouldStop,
) -> Iterator[MistakeValue]:
    """The held-out pictures asked about rightly, then wrongly."""
    pictures, labels = held_out(bench.job)
    (classifier, see), (wrong_classifier, wrong_see) = ways
    value = start
    for right in hits_with(classifier, see, pictures, labels):
        if should_stop():
            return
        side = replace(start.right, certainty=right.certainty)
        value = replace(start, share_done=0.5 * right.asked / right.total, right=side)
        yield value
    for wrong in hits_with(wrong_classifier, wrong_see, pictures, labels):
        if should_stop():
            return
        same = sum(a == b for a, b in zip(right.imagenet, wrong.imagenet, strict=False))
        yield replace(
            value,
            share_done=0.5 + 0.5 * wrong.asked / wrong.total,
            wrong=Side(wrong.correct, wrong.asked, wrong.certainty),
            agreement=same / wrong.asked if _knows_imagenet(classifier) else None,
        )


def _knows_imagenet(classifier: Classifier) -> bool:
    """Whether the original head still fits: the backbone is as it was published, and its features
    are all that the head wants (not so in SqueezeNet)."""
    backbone = classifier.backbone
    is_published = backbone.pretrained and not classifier.is_backbone_trained
    return is_published and not isinstance(backbone.imagenet_head, MapHead)


def without_eval(
    start: MistakeValue, bench: Bench, cache: FeatureCache | None, should_stop: ShouldStop
) -> Iterator[MistakeValue]:
    """The network is asked as it was trained: dropout on, BatchNorm by the batch at hand."""
    see = correctly(bench.classifier.backbone.preprocess)
    asked = ((bench.classifier, see), (in_training_mode(bench.classifier), see))
    yield from _asked_both(start, bench, asked, should_stop)


def batchnorm_in_training_mode(
    start: MistakeValue, bench: Bench, cache: FeatureCache | None, should_stop: ShouldStop
) -> Iterator[MistakeValue]:
    """No weight learns, but statistics follow the batches that pass: two pictures of a class."""
    images = bench.job.images
    pictures = tuple(
        bench.job.picture_of(images.images[index].image_id)
        for index in sorted(
            bench.job.split.train, key=lambda index: images.images[index].class_index
        )
    )
    drifted = in_training_mode(bench.classifier)
    for done in drift_statistics(drifted, pictures):
        if should_stop():
            return
        yield replace(start, share_done=0.5 * done / len(pictures))
    drifted.backbone.module.eval()
    see = correctly(bench.classifier.backbone.preprocess)
    asked = ((bench.classifier, see), (drifted, see))
    for value in _asked_both(start, bench, asked, should_stop):
        yield replace(value, share_done=0.5 + 0.5 * value.share_done)
