"""A folder of every difficult kind of file, as its manifest says; made here if none is there."""

import json
from pathlib import Path

import pytest

from tests import pictures
from tests.data.importing import imported, tree
from tlapp.data.dataset import DatasetStore
from tlapp.data.source import is_junk

BESIDE = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(params=["beside", "drawn"])
def traps(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, dict[str, bool | None]]:
    """The folder, and for each file whether it is readable (None: either will do)."""
    manifest = BESIDE / "traps.manifest.json"
    if request.param == "beside" and manifest.is_file():
        rows = json.loads(manifest.read_text(encoding="utf-8"))
        return BESIDE / "traps", {row["file"]: row["readable"] for row in rows}
    readable: dict[str, bool | None] = {}
    for class_name in ("Füße shoes", "帽子 hat"):
        folder = tmp_path / "traps" / class_name
        folder.mkdir(parents=True)
        for name, make in pictures.UNUSUAL.items():
            (folder / name).write_bytes(make())
            readable[f"{class_name}/{name}"] = True
        for name, make in pictures.BROKEN.items():
            (folder / name).write_bytes(make())
            readable[f"{class_name}/{name}"] = False
        (folder / ".DS_Store").write_bytes(b"\0")
        readable[f"{class_name}/.DS_Store"] = False
    return tmp_path / "traps", readable


@pytest.mark.parametrize("as_zip", [False, True])
def test_every_trap_ends_as_its_manifest_says(
    store: DatasetStore,
    traps: tuple[Path, dict[str, bool | None]],
    tmp_path: Path,
    as_zip: bool,
) -> None:
    folder, readable = traps
    source = pictures.zip_folder(folder, tmp_path / "traps.zip") if as_zip else folder
    dataset = imported(store, source)
    taken = {image.name for image in dataset.images.images}
    skipped = {item.name: str(item.reason) for item in dataset.skipped}
    assert {name for name, is_readable in readable.items() if is_readable} <= taken
    assert not {name for name, is_readable in readable.items() if is_readable is False} & taken
    assert not set(skipped) & taken
    for name, reason in skipped.items():
        assert reason.startswith(name)
        assert not is_junk(tuple(name.split("/")))
    for image in dataset.images.images:
        assert store.thumbnail(dataset.dataset_id, image.image_id, 64)
    assert all(item.startswith(dataset.dataset_id) for item in tree(tmp_path / "datasets"))
