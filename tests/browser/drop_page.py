"""A page with nothing but the two drop zones, served from this process, to see what arrives."""

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gradio as gr
from playwright.sync_api import Browser, BrowserContext, Page, Route

from tests.browser.served import served
from tests.browser.tab import Tab
from tests.patience import STEP_MS
from tlapp.ui.blocks import AppBlocks
from tlapp.ui.widgets.folder_drop import FolderDrop, Upload
from tlapp.ui.widgets.picture_drop import PictureDrop, PictureUpload

FOLDER = "#folder-drop .tl-drop"
PICTURES = "#picture-drop .tl-drop"
MOST_BYTES = 20_000_000  # what this page's server says it takes
MOST_PICTURES = 1_300  # in a folder
MOST_IMAGE_BYTES = 3_000_000
MOST_TRIED = 4  # test pictures at once


@dataclass
class DropPage:
    """The served page, and what its handlers were given, newest last."""

    url: str = ""
    uploads: list[Upload] = field(default_factory=list)
    zips: list[bytes] = field(default_factory=list)
    samples: int = 0
    pictures: list[list[tuple[str, bytes]]] = field(default_factory=list)

    def take_zip(self, upload: Upload) -> str:
        self.uploads.append(upload)
        self.zips.append(Path(upload.path).read_bytes())
        Path(upload.path).unlink()
        return f"zip {len(self.zips)}"

    def take_sample(self) -> str:
        self.samples += 1
        return f"sample {self.samples}"

    def take_pictures(self, uploads: tuple[PictureUpload, ...]) -> str:
        taken = [(upload.name, Path(upload.path).read_bytes()) for upload in uploads]
        for upload in uploads:
            Path(upload.path).unlink()
        self.pictures.append(taken)
        return f"pictures {len(self.pictures)}"

    def newest_zip(self) -> dict[str, bytes]:
        """Name -> contents of the zip that arrived last. Python's reader checks every checksum."""
        with zipfile.ZipFile(io.BytesIO(self.zips[-1])) as archive:
            return {name: archive.read(name) for name in archive.namelist()}


@contextmanager
def served_drop_page(folder: Path) -> Iterator[DropPage]:
    """Serve the page while the block runs; `folder` holds the server's uploads."""
    drop_page = DropPage()
    with served(lambda: _build(drop_page), folder) as drop_page.url:
        yield drop_page


def new_context(browser: Browser, size: tuple[int, int] = (1440, 700)) -> BrowserContext:
    """A browser's memory of its own, which may use camera and clipboard."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        permissions=["camera", "clipboard-read", "clipboard-write"],
    )
    context.set_default_timeout(STEP_MS)
    return context


@contextmanager
def opened_tab(
    context: BrowserContext, drop_page: DropPage, *, theme: str = "light", script: str = ""
) -> Iterator[Tab]:
    """A tab on the page. `script` runs before the page's own. What goes wrong fails the test."""
    tab = Tab(page=context.new_page())
    tab.watch()
    tab.page.add_init_script(script)
    try:
        tab.page.goto(f"{drop_page.url}?__theme={theme}", wait_until="domcontentloaded")
        tab.page.wait_for_selector(FOLDER)
        tab.page.wait_for_selector(PICTURES)
        tab.page.evaluate("document.documentElement.classList.add('tl-open')")  # see theme.css
        yield tab
    finally:
        tab.page.close()
    problems = tab.unexpected_problems()
    assert not problems, "Seen in the browser:\n" + "\n".join(problems)


def _build(drop_page: DropPage) -> gr.Blocks:
    quiet: dict[str, Any] = {"show_progress": "hidden"}
    with AppBlocks() as blocks:
        with gr.Row(elem_classes="tl-zones"):
            with gr.Column(elem_classes="tl-card"):
                folder_drop = FolderDrop(
                    max_bytes=MOST_BYTES,
                    image_bytes=MOST_IMAGE_BYTES,
                    most_pictures=MOST_PICTURES,
                    elem_id="folder-drop",
                )
            with gr.Column(elem_classes="tl-card"):
                said = gr.Textbox(label="What the server said", interactive=True, elem_id="said")
            with gr.Column(elem_classes="tl-card"):
                picture_drop = PictureDrop(most=MOST_TRIED, elem_id="picture-drop")
        folder_drop.upload(drop_page.take_zip, folder_drop, said, api_name="take_zip", **quiet)
        folder_drop.select(drop_page.take_sample, None, said, **quiet)
        picture_drop.upload(
            drop_page.take_pictures, picture_drop, said, api_name="take_pictures", **quiet
        )
    return blocks


def wait_for_word(tab: Tab, word: str) -> None:
    """Wait until the server has said `word`: then its handler is through."""
    tab.page.wait_for_function(
        "word => document.querySelector('#said textarea').value === word", arg=word
    )


def wait_for_line(tab: Tab, zone: str, text: str) -> None:
    """Wait until the zone shows `text` in its heading or its line."""
    tab.page.wait_for_function(
        """([zone, text]) => [".tl-drop-heading", ".tl-drop-line"].some(
            (part) => document.querySelector(zone + " " + part).textContent.includes(text))""",
        arg=[zone, text],
    )


def drop_and_wait(tab: Tab, drop_page: DropPage, *paths: Path) -> dict[str, bytes]:
    """Drop on the zone; what arrived at the server."""
    count = len(drop_page.zips)
    tab.drop_files(FOLDER, paths)
    wait_for_word(tab, f"zip {count + 1}")
    return drop_page.newest_zip()


def hold_uploads(tab: Tab) -> list[Route]:
    """From now on no upload gets through; those that were begun are in the list."""
    tab.expect("ERR_FAILED|ERR_ABORTED")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    tab.page.route("**/upload", hold)
    return held


def write_down_lines(page: Page, zone: str) -> None:
    """From now on keep each line and each place of the bar that the zone shows."""
    page.evaluate(
        """(zone) => {
            window.seenLines = [];
            const root = document.querySelector(zone);
            const watcher = new MutationObserver(() => window.seenLines.push([
                root.querySelector(".tl-drop-heading").textContent,
                root.querySelector(".tl-drop-line").textContent,
                root.querySelector("[role=progressbar]").getAttribute("aria-valuenow"),
                root.querySelector("[role=status]").textContent,
            ]));
            watcher.observe(
                root, {subtree: true, childList: true, characterData: true, attributes: true});
        }""",
        zone,
    )
