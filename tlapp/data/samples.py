"""The sample pictures that come with tlapp, drawn by `assets/make_samples.py`."""

from pathlib import Path

_ASSETS = Path(__file__).resolve().parents[2] / "assets"


def sample_folder() -> Path:
    """The folder with one folder of pictures per class, for `DatasetStore.import_folder`."""
    return _ASSETS / "samples"


def sample_test_pictures() -> tuple[Path, ...]:
    """Pictures that are not in `sample_folder`, to try a trained classifier on."""
    return tuple(sorted((_ASSETS / "samples-test").glob("*.jpg")))
