"""Classifiers of runs that are over, in memory: the newest used ones."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

from tlapp.backbones.weights import WeightsStore
from tlapp.classifier import Classifier, load_classifier
from tlapp.errors import RunError
from tlapp.runs.folder import RunFolder
from tlapp.workspace.shelf import BackboneShelf

MOST_KEPT = 4  # a trained backbone can be large


class KeptClassifiers:
    """At most `MOST_KEPT` classifiers; the longest unused one makes room. Thread-safe."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Classifier] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, run_id: str, load: Callable[[], Classifier]) -> Classifier:
        """The run's classifier; `load` brings it when it is not here."""
        with self._lock:
            if run_id in self._kept:
                self._kept.move_to_end(run_id)
                return self._kept[run_id]
        return self.keep(run_id, load())

    def keep(self, run_id: str, classifier: Classifier) -> Classifier:
        """Keep this one, and return it."""
        with self._lock:
            self._kept[run_id] = classifier
            self._kept.move_to_end(run_id)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return classifier

    def forget(self, run_id: str) -> None:
        """The run is gone."""
        with self._lock:
            self._kept.pop(run_id, None)


def load_kept(run: RunFolder, weights: WeightsStore, shelf: BackboneShelf) -> Classifier:
    """A run's kept classifier; an untouched backbone is the one that all runs share.

    Raises what `load_classifier` raises.
    """
    epoch = run.best_model_epoch()
    path = run.model_path(epoch)
    try:
        classifier = load_classifier(path, weights)
    except RunError as error:
        if epoch is not None:
            run.note_model(epoch, error)
        raise
    backbone = classifier.backbone
    if classifier.is_backbone_trained or not backbone.pretrained:
        return classifier
    return replace(classifier, backbone=shelf.get(backbone.card.name))
