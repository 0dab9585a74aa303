"""Group B: names of every naughty kind through a whole life: import, training, files, answers."""

import csv
import io
import json
import os
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest

from tests import pictures
from tests.data.importing import class_counts, imported, tree
from tests.runs.examples import make_record, make_row
from tests.workspace.conftest import PATIENCE_SECONDS, bring
from tlapp.data.dataset import DatasetStore
from tlapp.data.images import rename_class
from tlapp.errors import DataError
from tlapp.runs.curves import curves
from tlapp.settings import PUBLIC_LIMITS, Settings
from tlapp.training.config import TrainConfig
from tlapp.workspace import Workspace

# Of the kinds in the "Big List of Naughty Strings" (M. Woolf): reserved words, numbers, white
# space, quotes, scripts, two bytes, emoji, right to left, combining marks, injections.
NAUGHTY = (
    *("undefined", "null", "NaN", "-Infinity", "1e308", "0x0", "true", "None", "hasOwnProperty"),
    *("<script>alert(0)<", '"><img src=x onerror=alert(1)>', "' OR 1=1 -- 1", "$(touch x)"),
    *("{{7*7}}", "%s%n%x", "${jndi:ldap:x}", "`id`", "&amp;&lt;", "|ls", "{0}", "__proto__"),
    *("ÅÍÎÏ˝ÓÔÒÚÆ☃", "田中さんにあげて下さい", "사회과학원", "الإعلان العالمي", "﷽", "שלום"),
    *("👾 🙇 💁", "👩\u200d👩\u200d👧", "🇺🇸🇷🇺", "1\ufe0f\u20e3", "Z\u0351\u036bA\u0334L"),
    *("\u202etest\u202c", "\u2066a\u2069", "\u200b\u200bx", "\ufeffbom", "a\u2028b", "\u00a0x"),
    *("a\tb", "a\nb", "a\rb", "a\x7f\x1bb", "a:b", "a*b?", "trailing.", "CON", "aux.txt"),
    *("=1+1", "+1", "-1", "@SUM(1)", "-rf", "--help", "..a", "~", "$HOME", "ﬃ", "İ", "ß", "ǆ"),
    "x" * 255,
)  # fmt: skip


def shown(name: str) -> str:
    """How a data set keeps a folder's name: composed, without white space at its ends."""
    return unicodedata.normalize("NFC", name).strip()


@pytest.mark.skipif(os.name != "posix", reason="other systems refuse such names of folders")
def test_every_naughty_name_lives_through_import_training_files_and_answers(
    workspace: Workspace, owner: str, settings: Settings, tmp_path: Path
) -> None:
    entries = [
        (f"{name}/{number}.jpg", pictures.jpeg(index % 6, 10 * index + number, width=32, height=32))
        for index, name in enumerate(NAUGHTY)
        for number in range(2)
    ]
    folder = tmp_path / "naughty"
    for name, raw in entries:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(raw)
    before = tree(settings.home)
    dataset = bring(workspace, owner, folder, name="<b>=1+1\t\u202e")
    names = set(dataset.images.class_names)
    assert names == {shown(name) for name in NAUGHTY if name[0] != "."}
    run_id = workspace.trainings.start(owner, dataset, TrainConfig(epochs=1, batch_size=8))
    assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
    record = workspace.run(run_id)
    assert (record.state, record.class_names) == ("finished", dataset.images.class_names)
    json.dumps(record.to_json(), allow_nan=False)
    workspace.close()

    later = Workspace(settings)
    assert later.of(owner).dataset(dataset.dataset_id) == dataset
    assert later.run(run_id).class_names == dataset.images.class_names
    tried = later.visitors.prepare([("\u202e<b>.jpg", pictures.jpeg())])
    ranked = later.visitors.answers(tried, later.trainings.classifier(run_id))[0].ranked
    assert {item.name for item in ranked} <= names
    assert later.trainings.curves(run_id, "png")
    later.close()
    added = tree(settings.home) - before
    assert added
    assert all(path.isascii() for path in added)


def test_naughty_names_in_a_zip_are_kept_as_text(store: DatasetStore, tmp_path: Path) -> None:
    entries = [
        (f"{name}/1.jpg", pictures.jpeg(index % 6, index, width=32, height=32))
        for index, name in enumerate(NAUGHTY)
        if name[0] != "."  # a hidden folder is ignored
    ]
    dataset = imported(store, pictures.zip_entries(tmp_path / "a.zip", entries))
    assert set(class_counts(dataset)) == {shown(name.split("/")[0]) for name, _ in entries}
    assert store.load(dataset.dataset_id) == dataset


@pytest.mark.parametrize("name", ["\ud800", "a\udfffb", "\x00", "\u202e", *NAUGHTY[:20]])
def test_a_class_renamed_to_anything_is_stored_as_it_is_or_refused(
    store: DatasetStore, pictures_folder: Path, name: str
) -> None:
    dataset = imported(store, pictures_folder)
    try:
        renamed = replace(dataset, images=rename_class(dataset.images, 0, name))
    except DataError as error:
        assert error.hint
        return
    store.save(renamed)
    assert store.load(dataset.dataset_id).images.class_names[0] == shown(name)
    assert renamed.images.fingerprint


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_table_gives_no_spreadsheet_a_formula_and_json_stays_as_it_is(start: str) -> None:
    name = f"{start}cmd|'/C calc'!A0"
    record = make_record(
        name=name, dataset_name=name, class_names=(name, "dog"), epochs=(make_row(1),)
    )
    table = curves(record, "csv").decode("utf-8-sig")
    for row in csv.reader(io.StringIO(table, newline="")):
        assert not any(cell.startswith(start) and len(cell) > 10 for cell in row)
    values = json.loads(json.dumps(record.to_json()))
    assert (values["name"], values["class_names"][0]) == (name, name)


@pytest.mark.parametrize("as_zip", [False, True])
def test_two_thousand_classes_are_refused_with_the_limit(tmp_path: Path, as_zip: bool) -> None:
    raw = pictures.jpeg(0, 0, width=16, height=16)
    folder = tmp_path / "many"
    for number in range(2_000):
        (folder / f"{number}").mkdir(parents=True)
        (folder / f"{number}" / "1.jpg").write_bytes(raw)
    store = DatasetStore(tmp_path / "datasets", PUBLIC_LIMITS)
    source = pictures.zip_folder(folder, tmp_path / "a.zip") if as_zip else folder
    with pytest.raises(DataError, match="At most 40 classes"):
        imported(store, source)
    assert not list((tmp_path / "datasets").glob("*"))


def test_names_that_differ_in_case_or_accents_alone_are_one_class_from_folder_and_zip(
    store: DatasetStore, tmp_path: Path
) -> None:
    entries = [
        (f"{name}/{number}.jpg", pictures.jpeg(index, number))
        for index, name in enumerate(("Cat", "cat", "caf\u00e9", "cafe\u0301"))
        for number in range(2)
    ]
    path = pictures.zip_entries(tmp_path / "a.zip", entries)
    dataset = imported(store, path)
    assert class_counts(dataset) == {"Cat": 4, "caf\u00e9": 4}
    assert [finding.kind for finding in dataset.findings] == ["merged_names"]
