"""The cards: which network is chosen, and where its weights are."""

from typing import Any

import pytest

from tlapp.ui.page import Page
from tlapp.ui.sent import Sent
from tlapp.ui.table import Panels
from tlapp.workspace import DownloadState


@pytest.mark.parametrize(
    ("state", "done", "download", "line"),
    [
        ("absent", 0, "offered", "Download "),
        ("waiting", 0, "running", " of "),
        ("running", 5_000_000, "running", "5 MB of "),
        ("failed", 0, "failed", "download failed"),
        ("stopped", 0, "offered", "Download "),
    ],
)
def test_a_card_says_where_its_weights_are(
    page: Page,
    panels: Panels,
    token: str,
    monkeypatch: pytest.MonkeyPatch,
    state: Any,
    done: int,
    download: str,
    line: str,
) -> None:
    monkeypatch.setattr(
        page.workspace.models.downloads,
        "state",
        lambda name: DownloadState(
            backbone_name=name, state=state, done_bytes=done, total_bytes=10_000_000
        ),
    )
    value = panels.backbones.render(page.visit(token))[panels.backbones.cards]
    cards = {card.name: card for card in value.cards}
    assert cards["resnet18"].download == download
    assert line in cards["resnet18"].weights
    assert cards["resnet18"].progress == done / 10_000_000
    ready = cards["efficientnet_lite0"]
    assert (ready.ready, ready.download, ready.weights) == (True, "", "ready offline")
    assert value.selected == "efficientnet_lite0"


def test_what_is_pressed_on_a_card_is_read(panels: Panels) -> None:
    cards = panels.backbones.cards
    sent = Sent({cards: "resnet18"}, {"name": "vgg16"})
    assert panels.backbones.reads_choice().make(sent) == "resnet18"
    assert panels.backbones.reads_download().make(sent) == "vgg16"
