"""The photographs that figures are measured on, and drawn ones where they are not at hand."""

from pathlib import Path

from tests.pictures import class_folder

REPOSITORY = Path(__file__).parents[2]
DRAWN_CLASSES = ("stripes", "dots", "checks", "rings", "noise", "waves")


def photographs(name: str, folder: Path) -> Path:
    """The data set `name` beside the repository ("clothing10", ...: `train/` and `val/` inside).

    Where there is none, about as many drawn pictures of about the same size, made in `folder`.
    """
    beside = REPOSITORY.parent / "shared" / "data" / name
    if beside.is_dir():
        return beside
    drawn = folder / name
    size = {"width": 400, "height": 400}
    class_folder(drawn / "train", DRAWN_CLASSES, per_class=84, **size)
    class_folder(drawn / "val", DRAWN_CLASSES, per_class=24, first_seed=1000, **size)
    return drawn
