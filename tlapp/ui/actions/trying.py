"""What the Try zone does: take test pictures, which are the visitor's from then on."""

from collections.abc import Sequence
from pathlib import Path

from tlapp.data.samples import sample_test_pictures
from tlapp.ui.uploads import take_pictures
from tlapp.ui.visit import Visit
from tlapp.ui.widgets.picture_drop import PictureUpload


def try_uploads(visit: Visit, uploads: Sequence[PictureUpload]) -> None:
    """Take the dropped pictures, and remove the uploads."""
    limits = visit.workspace.settings.limits
    named = [(each.name, Path(each.path)) for each in uploads]
    _keep(visit, take_pictures(named, limits))


def try_samples(visit: Visit, _: object = None) -> None:
    """Take the sample test pictures."""
    _keep(visit, [(path.name, path.read_bytes()) for path in sample_test_pictures()])


def _keep(visit: Visit, raw: Sequence[tuple[str, bytes]]) -> None:
    visitors = visit.workspace.visitors
    visitors.keep_test_pictures(visit.owner, visitors.prepare(raw))
