"""Blocks of a test's own, served from its process."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import gradio as gr
import pytest

from tlapp.ui.theme import make_theme, page_css


@contextmanager
def served(build: Callable[[], gr.Blocks], folder: Path) -> Iterator[str]:
    """The address of the page that `build` makes, while the block runs; `folder` holds what is
    uploaded."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder))
        blocks = build()
        _, url, _ = blocks.launch(
            prevent_thread_lock=True,
            quiet=True,
            theme=make_theme(),
            css=page_css(),
            footer_links=[],
            ssr_mode=False,
            inbrowser=False,
        )
        try:
            yield url
        finally:
            blocks.close(verbose=False)
