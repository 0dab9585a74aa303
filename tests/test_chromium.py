"""How the tests come by a browser: what is there, then Playwright's, then the system's packages."""

import subprocess
from collections.abc import Sequence

import pytest

from tests import chromium


class Machine:
    """Stands for a machine without a browser: writes commands down, and may have one afterwards."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, works: str) -> None:
        self.commands: list[str] = []
        self._works = works
        monkeypatch.setattr(chromium, "find_chromium", self._find)
        monkeypatch.setattr(chromium.shutil, "which", lambda name: f"/usr/bin/{name}")
        monkeypatch.setattr(chromium.os, "geteuid", lambda: 0, raising=False)
        monkeypatch.setattr(chromium.subprocess, "run", self._run)

    def _find(self) -> str | None:
        return "/found" if any(self._works in command for command in self.commands) else None

    def _run(self, command: Sequence[str], **options: object) -> subprocess.CompletedProcess[str]:
        self.commands.append(" ".join(command))
        done_well = "playwright" not in command or self._works == "playwright"
        return subprocess.CompletedProcess(command, 0 if done_well else 1)


def test_a_browser_that_is_there_is_taken_and_nothing_is_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine = Machine(monkeypatch, works="")
    monkeypatch.setattr(chromium, "find_chromium", lambda: "/usr/bin/chromium")
    assert chromium.find_or_install_chromium() == "/usr/bin/chromium"
    assert machine.commands == []


def test_playwright_is_tried_first(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, works="playwright")
    assert chromium.find_or_install_chromium() == "/found"
    assert len(machine.commands) == 1
    assert machine.commands[0].endswith("-m playwright install chromium")


def test_the_systems_packages_are_tried_when_playwright_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine = Machine(monkeypatch, works="apt-get install")
    assert chromium.find_or_install_chromium() == "/found"
    assert machine.commands[1] == "apt-get update"
    assert machine.commands[2].startswith("apt-get install -y")


def test_when_nothing_helps_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    Machine(monkeypatch, works="a miracle")
    assert chromium.find_or_install_chromium() is None
