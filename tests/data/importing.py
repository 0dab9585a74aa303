"""Running an import to its end, for tests of data sets."""

from pathlib import Path

from tlapp.data.dataset import Dataset, DatasetStore, ImportEvent, ImportFinished


def events_of(store: DatasetStore, source: Path) -> list[ImportEvent]:
    """All events of importing a folder or a zip."""
    begin = store.import_folder if source.is_dir() else store.import_archive
    return list(begin(source, name="animals", owner="anna", should_stop=lambda: False))


def imported(store: DatasetStore, source: Path) -> Dataset:
    """The data set made from a folder or a zip."""
    last = events_of(store, source)[-1]
    assert isinstance(last, ImportFinished)
    return last.dataset


def class_counts(dataset: Dataset) -> dict[str, int]:
    return dict(zip(dataset.images.class_names, dataset.images.counts(), strict=True))


def tree(folder: Path) -> set[str]:
    """Every path below `folder`."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}
