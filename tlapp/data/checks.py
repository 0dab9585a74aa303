"""What a person should know about labelled pictures before training on them."""

from collections import defaultdict
from functools import reduce

from tlapp.data.images import Finding, LabeledImage, LabeledImages, quoted, some_names
from tlapp.data.splits import Split
from tlapp.messages import Message, counted_message, joined, message

FEW_PICTURES = 5
CLASSES_SHOWN = 4  # in a finding
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
    said = message(
        'There is only one class, "{name}". Add a second class: it takes two to tell apart.',
        name=name,
    )
    return [Finding("one_class", said, (name,), 1)]


def _all_equal(images: LabeledImages) -> list[Finding]:
    count = len(images.images)
    if count < 2 or len({image.image_id for image in images.images}) > 1:
        return []
    said = counted_message(
        "All {count} pictures are the same: no network can tell the classes apart.",
        "All {count} pictures are the same: no network can tell the classes apart.",
        count=count,
    )
    return [Finding("all_equal", said, images.class_names, count)]


def _in_two_classes(images: LabeledImages) -> list[Finding]:
    pairs: defaultdict[tuple[int, ...], list[str]] = defaultdict(list)
    for copies in _copies_by_id(images):
        found = {copy.class_index for copy in copies}
        if len(found) > 1:
            pairs[tuple(sorted(found))].append(_same_files(copies))
    findings = []
    for indices, files in sorted(pairs.items()):
        names = tuple(images.class_names[index] for index in indices)
        said = counted_message(
            "The same picture is in {classes}: {files}. "
            "Remove the copy that is in the wrong class.",
            "{count} pictures are in {classes}: {files}. "
            "Remove the copy that is in the wrong class.",
            count=len(files),
            classes=reduce(_and_in, map(quoted, names)),
            files=some_names(files),
        )
        findings.append(Finding("same_in_two_classes", said, names, len(files)))
    return findings


def _over_the_split(images: LabeledImages) -> list[Finding]:
    files = [
        _same_files(copies)
        for copies in _copies_by_id(images)
        if len({copy.part for copy in copies}) > 1
    ]
    if not files:
        return []
    said = counted_message(
        "The same picture is in more than one of the folder's train, val and test parts: {files}. "
        "All copies are used on one side only, so that the accuracy stays honest.",
        "{count} pictures are in more than one of the folder's train, val and test parts: {files}. "
        "All copies are used on one side only, so that the accuracy stays honest.",
        count=len(files),
        files=some_names(files),
    )
    return [Finding("same_over_split", said, (), len(files))]


def _nothing_held_out(images: LabeledImages, split: Split) -> list[Finding]:
    if split.valid or not images.images:
        return []
    said = message(
        "No picture is held out, so the accuracy cannot be measured. "
        "Add pictures, at least two of each class."
    )
    return [Finding("nothing_held_out", said, (), 0)]


def _few_pictures(images: LabeledImages) -> list[Finding]:
    counts = images.counts()
    few = [
        (name, count)
        for name, count in zip(images.class_names, counts, strict=True)
        if count < FEW_PICTURES
    ]
    if not few:
        return []
    shown = joined(*(_class_has(*each) for each in few[:CLASSES_SHOWN]), by=", ")
    more = len(few) - CLASSES_SHOWN
    said = (
        counted_message(
            "Few pictures: {classes} and {count} more have too few. "
            "Add some, {least} or more of each class.",
            "Few pictures: {classes} and {count} more have too few. "
            "Add some, {least} or more of each class.",
            count=more,
            classes=shown,
            least=FEW_PICTURES,
        )
        if more > 0
        else message(
            "Few pictures: {classes}. Add some, {least} or more of each class.",
            classes=shown,
            least=FEW_PICTURES,
        )
    )
    return [Finding("few_pictures", said, tuple(name for name, _ in few), len(few))]


def _imbalance(images: LabeledImages) -> list[Finding]:
    counts = images.counts()
    if not counts or max(counts) <= MOST_IMBALANCE * min(counts):
        return []
    largest = images.class_names[counts.index(max(counts))]
    smallest = images.class_names[counts.index(min(counts))]
    said = counted_message(
        '"{large}" has {count} picture, "{small}" only {least}. '
        "The small class may be overlooked: add pictures to it, or turn on class weights.",
        '"{large}" has {count} pictures, "{small}" only {least}. '
        "The small class may be overlooked: add pictures to it, or turn on class weights.",
        count=max(counts),
        large=largest,
        small=smallest,
        least=min(counts),
    )
    return [Finding("imbalance", said, (largest, smallest), max(counts))]


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
    said = counted_message(
        "{count} picture is a copy of another one in the same class: {names}. "
        "Copies stay on one side of the split.",
        "{count} pictures are copies of another one in the same class: {names}. "
        "Copies stay on one side of the split.",
        count=len(names),
        names=some_names(names),
    )
    return [Finding("copies", said, (), len(names))]


def _copies_by_id(images: LabeledImages) -> list[list[LabeledImage]]:
    """The pictures that are there more than once, each with all of its copies."""
    groups: defaultdict[str, list[LabeledImage]] = defaultdict(list)
    for image in images.images:
        groups[image.image_id].append(image)
    return [copies for copies in groups.values() if len(copies) > 1]


def _same_files(copies: list[LabeledImage]) -> str:
    return f"{copies[0].name} = {copies[-1].name}"


def _and_in(classes: Message, another: Message) -> Message:
    return message("{classes} and in {another}", classes=classes, another=another)


def _class_has(name: str, count: int) -> Message:
    return counted_message('"{name}" has {count}', '"{name}" has {count}', name=name, count=count)
