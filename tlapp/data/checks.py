"""What a person should know about labelled pictures before training on them."""

from collections import defaultdict

from tlapp.data.images import Finding, LabeledImage, LabeledImages, some_names
from tlapp.data.splits import Split

FEW_PICTURES = 5
MOST_IMBALANCE = 5  # largest class over smallest


def check_images(images: LabeledImages, split: Split) -> tuple[Finding, ...]:
    """The findings about `images` under `split`, the gravest first; empty if all is well."""
    return (
        *_one_class(images),
        *_all_equal(images),
        *_in_two_classes(images),
        *_over_the_split(images),
        *_nothing_held_out(images, split),
        *_few_pictures(images),
        *_imbalance(images),
        *_copies(images),
    )


def _one_class(images: LabeledImages) -> list[Finding]:
    if len(images.class_names) != 1:
        return []
    name = images.class_names[0]
    message = f'There is only one class, "{name}". Add a second class: it takes two to tell apart.'
    return [Finding("one_class", message, (name,), 1)]


def _all_equal(images: LabeledImages) -> list[Finding]:
    count = len(images.images)
    if count < 2 or len({image.image_id for image in images.images}) > 1:
        return []
    message = f"All {count} pictures are the same: no network can tell the classes apart."
    return [Finding("all_equal", message, images.class_names, count)]


def _in_two_classes(images: LabeledImages) -> list[Finding]:
    pairs: defaultdict[tuple[int, ...], list[str]] = defaultdict(list)
    for copies in _copies_by_id(images):
        found = {copy.class_index for copy in copies}
        if len(found) > 1:
            pairs[tuple(sorted(found))].append(_same_files(copies))
    findings = []
    for indices, files in sorted(pairs.items()):
        names = tuple(images.class_names[index] for index in indices)
        message = (
            f"{_pictures(len(files))} in {' and in '.join(_quoted(name) for name in names)}: "
            f"{some_names(files)}. Remove the copy that is in the wrong class."
        )
        findings.append(Finding("same_in_two_classes", message, names, len(files)))
    return findings


def _over_the_split(images: LabeledImages) -> list[Finding]:
    files = [
        _same_files(copies)
        for copies in _copies_by_id(images)
        if len({copy.part for copy in copies}) > 1
    ]
    if not files:
        return []
    message = (
        f"{_pictures(len(files))} in more than one of the folder's train, val and test parts: "
        f"{some_names(files)}. "
        "All copies are used on one side only, so that the accuracy stays honest."
    )
    return [Finding("same_over_split", message, (), len(files))]


def _nothing_held_out(images: LabeledImages, split: Split) -> list[Finding]:
    if split.valid or not images.images:
        return []
    message = (
        "No picture is held out, so the accuracy cannot be measured. "
        "Add pictures, at least two of each class."
    )
    return [Finding("nothing_held_out", message, (), 0)]


def _few_pictures(images: LabeledImages) -> list[Finding]:
    counts = images.counts()
    few = tuple(
        name for name, count in zip(images.class_names, counts, strict=True) if count < FEW_PICTURES
    )
    if not few:
        return []
    shown = ", ".join(
        f"{_quoted(name)} has {counts[images.class_names.index(name)]}" for name in few[:4]
    )
    more = f" and {len(few) - 4} more have too few" if len(few) > 4 else ""
    message = f"Few pictures: {shown}{more}. Add some, {FEW_PICTURES} or more of each class."
    return [Finding("few_pictures", message, few, len(few))]


def _imbalance(images: LabeledImages) -> list[Finding]:
    counts = images.counts()
    if not counts or max(counts) <= MOST_IMBALANCE * min(counts):
        return []
    largest = images.class_names[counts.index(max(counts))]
    smallest = images.class_names[counts.index(min(counts))]
    message = (
        f"{_quoted(largest)} has {max(counts)} pictures, {_quoted(smallest)} only {min(counts)}. "
        "The small class may be overlooked: add pictures to it, or turn on class weights."
    )
    return [Finding("imbalance", message, (largest, smallest), max(counts))]


def _copies(images: LabeledImages) -> list[Finding]:
    seen: set[tuple[str, int]] = set()
    names = []
    for image in images.images:
        key = (image.image_id, image.class_index)
        if key in seen:
            names.append(image.name)
        seen.add(key)
    if not names:
        return []
    what = "1 picture is a copy" if len(names) == 1 else f"{len(names)} pictures are copies"
    message = (
        f"{what} of another one in the same class: {some_names(names)}. "
        "Copies stay on one side of the split."
    )
    return [Finding("copies", message, (), len(names))]


def _copies_by_id(images: LabeledImages) -> list[list[LabeledImage]]:
    """The pictures that are there more than once, each with all of its copies."""
    groups: defaultdict[str, list[LabeledImage]] = defaultdict(list)
    for image in images.images:
        groups[image.image_id].append(image)
    return [copies for copies in groups.values() if len(copies) > 1]


def _same_files(copies: list[LabeledImage]) -> str:
    return f"{copies[0].name} = {copies[-1].name}"


def _pictures(count: int) -> str:
    return "The same picture is" if count == 1 else f"{count} pictures are"


def _quoted(name: str) -> str:
    return f'"{name}"'
