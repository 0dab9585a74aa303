"""A browser tab that writes down whatever goes wrong, and the gestures that tests make in it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Page, Request, Response

LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
LOCAL_SCHEMES = ("data", "blob", "about", "chrome", "chrome-extension")


@dataclass
class Tab:
    """A page, and the problems seen on it since it was opened."""

    page: Page
    problems: list[str] = field(default_factory=list)
    expected: list[re.Pattern[str]] = field(default_factory=list)

    def watch(self) -> None:
        """Write down requests to other machines, script errors, console errors, server errors."""
        self.page.on("request", self._on_request)
        self.page.on("response", self._on_response)
        self.page.on("pageerror", lambda error: self.problems.append(f"script error: {error}"))
        self.page.on("console", self._on_console)

    def _on_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in LOCAL_SCHEMES and parts.hostname not in LOOPBACK_HOSTS:
            self.problems.append(f"request leaves this machine: {request.url}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 500:
            self.problems.append(f"server error {response.status}: {response.url}")

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.problems.append(f"console: {message.text} ({message.location.get('url', '')})")

    def reload(self) -> None:
        """Reload the page. What the old one complains of until it is gone is no problem.

        Gradio's script ends its streams when the page is left, and the page's events may still
        ask the server by them until the new page comes: later, the busier the machine.
        """
        seen = len(self.problems)

        def forget(_: object) -> None:
            self.problems[seen:] = [p for p in self.problems[seen:] if not p.startswith("console:")]

        self.page.once("framenavigated", forget)
        self.page.reload(wait_until="domcontentloaded")

    def expect(self, pattern: str) -> None:
        """A problem that matches `pattern` is what this test provokes, and no failure."""
        self.expected.append(re.compile(pattern))

    def unexpected_problems(self) -> list[str]:
        return [
            problem
            for problem in self.problems
            if not any(pattern.search(problem) for pattern in self.expected)
        ]

    def drop_files(self, selector: str, paths: Sequence[Path]) -> None:
        """Drop files or a whole directory from the desktop on an element, as a hand would.

        Chromium itself reads them: scripts see real entries, `webkitGetAsEntry` included.
        """
        target = self.page.locator(selector)
        target.scroll_into_view_if_needed()
        box = target.bounding_box()
        assert box is not None, f"{selector} is not to be seen."
        place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + min(box["height"] / 2, 40)}
        data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
        session = self.page.context.new_cdp_session(self.page)
        for kind in ("dragEnter", "dragOver", "drop"):
            session.send("Input.dispatchDragEvent", {"type": kind, **place, "data": data})
        session.detach()

    def accessibility_failures(self, rules: Sequence[str] = ("color-contrast",)) -> list[str]:
        """What axe-core finds against `rules`: one line an element, with axe's own explanation.

        Colours that are on their way are waited for.
        """
        if not self.page.evaluate("() => 'axe' in window"):
            source = files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")
            self.page.add_script_tag(content=source)
        result: dict[str, Any] = self.page.evaluate(
            """async rules => {
              const moving = document.getAnimations().filter(
                (each) => Number.isFinite(each.effect.getComputedTiming().endTime));
              await Promise.all(moving.map((each) => each.finished.catch(() => null)));
              return axe.run(document, {runOnly: rules});
            }""",
            list(rules),
        )
        return [
            f"{violation['id']} at {' '.join(map(str, node['target']))}: "
            + " ".join(check["message"] for check in [*node["any"], *node["all"], *node["none"]])
            for violation in result["violations"]
            for node in violation["nodes"]
        ]

    def overflow_pixels(self) -> int:
        """How far the page reaches beyond the window's right edge: 0 when nothing is cut off."""
        wide: int = self.page.evaluate(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return max(0, wide)
