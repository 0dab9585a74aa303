"""What a person should know about labelled pictures before training on them."""

from collections import Counter, defaultdict

from tlapp.data.images import Finding, LabeledImages
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
    classes: defaultdict[str, set[int]] = defaultdict(set)
    for image in images.images:
        classes[image.image_id].add(image.class_index)
    pairs: Counter[tuple[int, ...]] = Counter()
    for found in classes.values():
        if len(found) > 1:
            pairs[tuple(sorted(found))] += 1
    findings = []
    for indices, count in sorted(pairs.items()):
        names = tuple(images.class_names[index] for index in indices)
        message = (
            f"{_pictures(count)} in {' and in '.join(_quoted(name) for name in names)}. "
            "Remove the copy that is in the wrong class."
        )
        findings.append(Finding("same_in_two_classes", message, names, count))
    return findings


def _over_the_split(images: LabeledImages) -> list[Finding]:
    parts: defaultdict[str, set[str]] = defaultdict(set)
    for image in images.images:
        parts[image.image_id].add(image.part)
    count = sum(len(found) > 1 for found in parts.values())
    if not count:
        return []
    message = (
        f"{_pictures(count)} in more than one of the folder's train, val and test parts. "
        "All copies are used on one side only, so that the accuracy stays honest."
    )
    return [Finding("same_over_split", message, (), count)]


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
    seen = Counter((image.image_id, image.class_index) for image in images.images)
    count = sum(times - 1 for times in seen.values())
    if not count:
        return []
    copies = "1 picture is a copy" if count == 1 else f"{count} pictures are copies"
    message = f"{copies} of another one in the same class. Copies stay on one side of the split."
    return [Finding("copies", message, (), count)]


def _pictures(count: int) -> str:
    return "The same picture is" if count == 1 else f"{count} pictures are"


def _quoted(name: str) -> str:
    return f'"{name}"'
