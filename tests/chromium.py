"""Where Chromium is, and how to get it. Browser tests use what is found here and nothing else."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

NAMES_ON_PATH = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
NO_CHROMIUM = (
    "No Chromium was found. `python -m tests` looks on the PATH (chromium, chromium-browser, "
    "google-chrome), then tries `python -m playwright install chromium`, then the system's package "
    "manager. Install one of them by hand and run the tests again."
)


def find_chromium() -> str | None:
    """The path of a browser that is there already: on the PATH, or Playwright's own; else None."""
    for name in NAMES_ON_PATH:
        found = shutil.which(name)
        if found:
            return found
    return _playwrights_own()


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def find_or_install_chromium() -> str | None:
    """As `find_chromium`, but tries to install one when there is none. Says what it does."""
    found = find_chromium()
    if found:
        return found
    for commands in (playwright_commands(), package_manager_commands()):
        for command in commands:
            print(f"No Chromium yet. Running: {' '.join(command)}", flush=True)
            if subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode != 0:
                break
        found = find_chromium()
        if found:
            return found
    return None


def playwright_commands() -> Sequence[Sequence[str]]:
    """Playwright's own download; it needs the open internet."""
    return ([sys.executable, "-m", "playwright", "install", "chromium"],)


def package_manager_commands() -> Sequence[Sequence[str]]:
    """The system's packages, as far as this person may install any without being asked."""
    may_install = hasattr(os, "geteuid") and (os.geteuid() == 0 or shutil.which("sudo"))
    if not may_install:
        return ()
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if shutil.which("apt-get"):
        return (
            [*prefix, "apt-get", "update"],
            [*prefix, "apt-get", "install", "-y", "--no-install-recommends", "chromium"],
        )
    if shutil.which("dnf"):
        return ([*prefix, "dnf", "install", "-y", "chromium"],)
    if shutil.which("pacman"):
        return ([*prefix, "pacman", "-S", "--noconfirm", "chromium"],)
    return ()


def chromium_flags() -> list[str]:
    """What a test's browser is started with: no sandbox for root, and no calls of its own."""
    flags = [
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        flags.append("--no-sandbox")
    return flags
