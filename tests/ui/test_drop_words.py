"""The drop zones' words and the scripts that say them."""

import re
from importlib import resources

import pytest

from tlapp.ui.text.drops import FOLDER_WORDS, PICTURE_WORDS, Table
from tlapp.ui.widgets import folder_drop, picture_drop


@pytest.mark.parametrize(
    ("scripts", "words"),
    [(folder_drop.SCRIPTS, FOLDER_WORDS), (picture_drop.SCRIPTS, PICTURE_WORDS)],
)
def test_every_word_that_a_script_says_is_there(scripts: tuple[str, ...], words: Table) -> None:
    folder = resources.files("tlapp.ui.widgets")
    source = "\n".join(folder.joinpath(name).read_text("utf-8") for name in scripts)
    said = set(re.findall(r"\bwords\.(\w+)", source)) | {"lost", "refused", "failed", "too_large"}
    assert said <= set(words)


@pytest.mark.parametrize("words", [FOLDER_WORDS, PICTURE_WORDS])
def test_every_failure_says_what_to_do_next(words: Table) -> None:
    for name in ("lost", "refused", "failed", "too_large", "nothing", "unreadable"):
        assert words[f"{name}_hint"], name


def test_making_the_components_writes_nothing_beside_the_source() -> None:
    folder = resources.files("tlapp.ui.widgets")
    stubs = [file.name for file in folder.iterdir() if file.name.endswith(".pyi")]
    assert not {"folder_drop.pyi", "picture_drop.pyi"} & set(stubs)


def test_no_template_holds_a_placeholder() -> None:
    for drop in (folder_drop.FolderDrop(render=False), picture_drop.PictureDrop(render=False)):
        assert drop.html_template == "<div></div>"
        assert drop.css_template == ""
