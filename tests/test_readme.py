"""What the README says is so: its commands, its table of limits, its front matter."""

import dataclasses
import re
import shlex
from pathlib import Path

import pytest

from tlapp.__main__ import make_parser
from tlapp.backbones.catalog import find_card
from tlapp.messages import ENGLISH, words
from tlapp.settings import LOCAL_LIMITS, PUBLIC_LIMITS, Limits

REPOSITORY = Path(__file__).parents[1]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")

# Limit -> its row's name and how its value is written.
ROWS = {
    "image_bytes": "one picture file",
    "image_pixels": "one picture",
    "jpeg_pixels": "one picture, as JPEG",
    "archive_bytes": "one zip",
    "archive_unpacked_bytes": "one zip, unpacked",
    "archive_entries": "files in one zip",
    "images": "pictures in a data set",
    "classes": "classes in a data set",
    "datasets": "data sets kept per visitor",
    "datasets_of_address": "data sets kept per address, all its visitors",
    "runs": "runs kept per visitor",
    "try_images": "test pictures at once",
    "disk_bytes": "disk for everything",
    "cache_bytes": "of it for cached features",
    "waiting_jobs": "trainings that may wait",
    "waiting_jobs_of_address": "of them from one address",
    "epochs": "epochs in one training",
    "training_seconds": "time for one training",
    "download_seconds": "time for one download",
    "idle_seconds": "a visitor's things are removed after",
}


def _written(name: str, value: float | None) -> str:
    if value is None:
        return "never"
    if name.endswith("_bytes"):
        return f"{value / 1e9:g} GB" if value >= 1e9 else f"{value / 1e6:g} MB"
    if name.endswith("_pixels"):
        return f"{value / 1e6:g} megapixels"
    if name.endswith("_seconds"):
        return f"{value / 3600:g} hours" if value >= 3600 else f"{value / 60:g} minutes"
    return f"{value:,}"


def limit_rows() -> list[str]:
    """The table's rows as the README must have them."""
    return [
        f"| {row} | {_written(name, getattr(LOCAL_LIMITS, name))} "
        f"| {_written(name, getattr(PUBLIC_LIMITS, name))} |"
        for name, row in ROWS.items()
    ]


def test_the_table_of_limits_equals_the_settings() -> None:
    assert set(ROWS) == {field.name for field in dataclasses.fields(Limits)}
    missing = [row for row in limit_rows() if row not in README]
    assert not missing, "The README's table should have:\n" + "\n".join(missing)


@pytest.mark.parametrize(
    "command",
    [
        "python -m pip install -r requirements.txt && python app.py",
        "python -m pip install -r tests/requirements.txt && python -m tests",
    ],
)
def test_the_two_commands_are_there(command: str) -> None:
    assert f"\n{command}\n" in README


def test_the_front_matter_is_what_a_space_needs() -> None:
    found = re.match(r"---\n(.*?)\n---\n", README, re.DOTALL)
    assert found is not None, "The README must begin with the front matter."
    pairs = dict(re.findall(r"^(\w+): (.+)$", found[1], re.MULTILINE))
    assert pairs["sdk"] == "gradio"
    assert (REPOSITORY / pairs["app_file"]).is_file()
    assert len(pairs["short_description"]) <= 60
    needed = {"title", "emoji", "colorFrom", "colorTo", "sdk_version", "python_version", "license"}
    assert needed <= set(pairs)


def test_the_rooms_are_described_in_the_order_of_the_map() -> None:
    described = re.findall(r"^\| `(\w+)(?:/|\.py)` \|", README, re.MULTILINE)
    on_the_map = (REPOSITORY / "tlapp" / "__init__.py").read_text(encoding="utf-8")
    assert described == re.findall(r"^ {4}(\w+)  +\w", on_the_map, re.MULTILINE)


def test_every_picture_and_file_that_is_named_is_there() -> None:
    links = re.findall(r"\]\((?!http)([^)]+)\)", README)
    missing = [link for link in links if not (REPOSITORY / link).exists()]
    assert not missing, f"Named in the README but not there: {missing}"


def test_no_line_names_a_place_of_the_machine_it_was_written_on() -> None:
    assert not re.search(r"/(work|opt|root|home)/", README)


def test_the_command_line_takes_what_the_readme_types() -> None:
    lines = re.findall(r"^python -m tlapp (.+)$", README, re.MULTILINE)
    assert lines
    for line in lines:
        options = make_parser(words(ENGLISH)).parse_args(shlex.split(line, comments=True))
        for name in getattr(options, "names", ()):
            find_card(name)
