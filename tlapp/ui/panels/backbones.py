"""The cards of the Train zone: every pretrained network, and whether it is here."""

from collections.abc import Hashable
from typing import Literal

from gradio.blocks import Block

from tlapp.messages import Say
from tlapp.training.config import TrainConfig
from tlapp.ui import text
from tlapp.ui.asked import event_text
from tlapp.ui.later import later
from tlapp.ui.page import Page
from tlapp.ui.panels.panel import Update
from tlapp.ui.sent import Reads
from tlapp.ui.visit import Visit
from tlapp.ui.widgets.backbone_cards import BackboneCard, BackboneCards, BackboneCardsValue
from tlapp.workspace import CardView, DownloadState


class BackbonesPanel:
    """The cards, and how they are drawn."""

    cards: BackboneCards

    def __init__(self, page: Page) -> None:
        self._models = page.workspace.models

    def build(self) -> None:
        """Make the components."""
        self.cards = BackboneCards(self._value(TrainConfig().backbone, later), elem_id="backbones")

    @property
    def outputs(self) -> tuple[Block, ...]:
        """All that `render` may fill."""
        return (self.cards,)

    def view(self, visit: Visit) -> Hashable:
        """The chosen one, and what is here."""
        return visit.config.backbone, tuple(view.is_ready for view in self._models.cards())

    def render(self, visit: Visit) -> Update:
        """Every backbone, and the chosen one."""
        return {self.cards: self._value(visit.config.backbone, visit.words.say)}

    def reads_choice(self) -> Reads[str]:
        """The card that was chosen."""
        return Reads((self.cards,), lambda sent: sent.values[self.cards])

    def reads_download(self) -> Reads[str]:
        """The card whose Download was pressed."""
        return Reads((), lambda sent: event_text(sent.event, "name"))

    def _value(self, selected: str, say: Say) -> BackboneCardsValue:
        return BackboneCardsValue(
            cards=tuple(
                _card(view, self._models.downloads.state(view.card.name), say)
                for view in self._models.cards()
            ),
            selected=selected,
        )


def _card(view: CardView, download: DownloadState, say: Say) -> BackboneCard:
    card = view.card
    return BackboneCard(
        name=card.name,
        title=card.title,
        facts=tuple(map(say, text.card_facts(card, view.images_per_second))),
        ready=view.is_ready,
        weights=say(text.weights_line(card, download, is_ready=view.is_ready)),
        download="" if view.is_ready else _download(download),
        progress=download.done_bytes / max(download.total_bytes, 1),
    )


def _download(download: DownloadState) -> Literal["offered", "running", "failed"]:
    if download.state in ("waiting", "running"):
        return "running"
    return "failed" if download.state == "failed" else "offered"
