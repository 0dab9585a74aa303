"""The Try zone: drop pictures, see what the network says; before any training, what ImageNet says."""

from collections.abc import Hashable, Sequence

import gradio as gr
from gradio.blocks import Block

from tlapp.errors import BackboneError, RunError
from tlapp.evaluation.test_pictures import TestAnswer
from tlapp.messages import Message, Say
from tlapp.ui.later import later
from tlapp.ui.page import Page
from tlapp.ui.panels.panel import Update
from tlapp.ui.sent import Reads
from tlapp.ui.text import trying as words
from tlapp.ui.visit import Visit
from tlapp.ui.widgets.picture_drop import PictureDrop, PictureUpload
from tlapp.ui.widgets.predictions import ClassBar, Predictions, PredictionsValue, TriedPicture
from tlapp.ui.widgets.values import picture_address

CLASSES_SHOWN = 3  # most probable classes of one test picture


class TryPanel:
    """The zone's components, and the answers."""

    drop: PictureDrop
    samples: gr.Button
    predictions: Predictions

    def __init__(self, page: Page) -> None:
        self._limits = page.settings.limits
        self._workspace = page.workspace

    def build(self) -> None:
        """Make the components."""
        self.drop = PictureDrop(
            most=self._limits.try_images,
            image_bytes=self._limits.image_bytes,
            elem_id="picture-drop",
        )
        self.samples = gr.Button(later(words.TRY_SAMPLES_BUTTON), size="sm", elem_id="try-samples")
        self.predictions = Predictions(_nobody(later(words.NOTHING_TRIED)), elem_id="predictions")

    @property
    def outputs(self) -> tuple[Block, ...]:
        """All that `render` may fill."""
        return (self.predictions,)

    def view(self, visit: Visit) -> Hashable:
        """Which pictures, and who answers."""
        live = visit.run
        answering: tuple[object, ...] = ()
        if live is not None:
            answering = live.record.run_id, live.classifier_epoch, live.is_over
        brought: tuple[tuple[str, object], ...] = ()
        if visit.test_pictures is not None:
            brought = tuple(
                (each.name, each.picture.image_id if each.picture else each.error)
                for each in visit.test_pictures.entries
            )
        return brought, answering, visit.config.backbone

    def render(self, visit: Visit) -> Update:
        """The answers: the run's when it has any, else ImageNet's."""
        return {self.predictions: self._answers(visit)}

    def reads_upload(self) -> Reads[Sequence[PictureUpload]]:
        """The pictures that have arrived."""
        return Reads((self.drop,), lambda sent: sent.values[self.drop])

    def _answers(self, visit: Visit) -> PredictionsValue:
        pictures, live, say = visit.test_pictures, visit.run, visit.words.say
        if pictures is None:
            record = None if live is None else live.record
            is_trained = record is not None and (record.best_epoch is not None or record.continues)
            return _nobody(say(words.NOTHING_TRIED_YET if is_trained else words.NOTHING_TRIED))
        visitors = self._workspace.visitors
        if live is not None:
            try:
                classifier = self._workspace.trainings.classifier(live.record.run_id)
                answers = visitors.answers(pictures, classifier)
                return _shown(answers, words.answers_of(live), say)
            except RunError:
                pass  # no epoch is finished yet: the untouched network answers
        try:
            backbone = self._workspace.models.backbone(visit.config.backbone)
        except BackboneError:  # its weights are not here yet; whoever follows a run goes on
            return _nobody(say(words.NO_WEIGHTS_TO_ANSWER))
        answers = visitors.imagenet_answers(pictures, backbone)
        return _shown(answers, words.IMAGENET_ANSWERS, say)


def _nobody(why: str) -> PredictionsValue:
    """Before anything was tried, or when nobody can answer."""
    return PredictionsValue(heading="", empty=why)


def _shown(answers: Sequence[TestAnswer], heading: Message, say: Say) -> PredictionsValue:
    """The answers, picture by picture."""
    return PredictionsValue(
        heading=say(heading),
        pictures=tuple(
            TriedPicture(
                key=f"{index} {answer.name}",
                name=answer.name,
                thumbnail=picture_address(answer.thumbnail) if answer.thumbnail else "",
                classes=tuple(
                    ClassBar(each.name, each.probability) for each in answer.ranked[:CLASSES_SHOWN]
                ),
                error=say(answer.error),
            )
            for index, answer in enumerate(answers)
        ),
    )
