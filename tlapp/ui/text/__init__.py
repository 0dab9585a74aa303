"""Every word on the screen. Sentence case, plain words, the next step always said."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tlapp.backbones.catalog import Card
from tlapp.data.memory import WEBP_PIXELS
from tlapp.messages import NOTHING, Message, counted_message, message, number
from tlapp.messages import percent as measured_percent
from tlapp.settings import Limits
from tlapp.training.counts import ParameterCounts
from tlapp.workspace import Costs, DownloadState

TITLE: Final = message("Transfer Learning Lab")
TAGLINE = "Teach a pretrained network your own classes, and see how it learns."


# --- Zones -------------------------------------------------------------------------------------

DATA_HEADING = "Data"
TRAIN_HEADING = "Train"
TRY_HEADING = "Try"
RESULTS_HEADING = "Results"
COMPARE_HEADING = "Compare runs"
LIMITS_HEADING = "Limits of this server"

# --- Data --------------------------------------------------------------------------------------

LOCAL_PATH_HEADING = "Use a folder on this computer"
LOCAL_PATH_LABEL = "Path of the folder"
LOCAL_PATH_BUTTON = "Read this folder"
ACCEPT_BUTTON = "Use these pictures"
DISCARD_BUTTON = "Discard"
SPLIT_HEADING = "How pictures are held out"
SPLIT_SHARE_LABEL = "Held out for testing (percent)"
SPLIT_SHARE_INFO = (
    "The network never learns from these. They show how well it does on new pictures."
)
SPLIT_SEED_LABEL = "Shuffle number"
SPLIT_SEED_INFO = "Another number draws other pictures. The same number draws the same ones."
OWN_SPLIT = "This folder brings its own split, and it is kept."

# --- Train -------------------------------------------------------------------------------------

OPENING: Final = message("One moment: the page looks for what you left here.")
NOT_OPENED: Final = message(
    "The page could not find what you left here. Nothing of it is lost: reload the page."
)
PRESS_TRAIN: Final = message("Now press Train.")
BRING_PICTURES_FIRST: Final = message(
    "First bring pictures: drop a folder, or use the samples. Then press Train."
)
HEAD_STAGE = "head"
PRESET_TITLES: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "head": message("Head only"),
        "last": message("Last stage"),
        "last_two": message("Last two"),
        "slower_below": message("All, slower below"),
        "textbook": message("Textbook: 1e-5"),
        "one_rate": message("All at one rate"),
        "scratch": message("From scratch"),
    }
)
TRAIN_BUTTON: Final = message("Train")
STOP_BUTTON: Final = message("Stop")
GO_ON_BUTTON: Final = message("Go on")
FINE_TUNE_BUTTON: Final = message("Fine-tune")
NO_RUN: Final = message("There is no run yet.")
SETTINGS_HEADING = "Settings"
RESET_SETTINGS_BUTTON = "Back to the defaults"

# --- Results -----------------------------------------------------------------------------------

RESULTS_PENDING: Final = message(
    "When this training is over, its result on the held-out pictures is explained here."
)
RESULTS_EMPTY: Final = message(
    "Train once, and the result on the held-out pictures is explained here."
)
RESULTS_NONE: Final = message(
    "This training came to no result. Earlier runs are kept: Compare runs shows them again."
)
CURVE_LINKS: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "png": message("Curves as PNG"),
        "svg": message("Curves as SVG"),
        "csv": message("Figures as CSV"),
    }
)
NO_HELD_OUT: Final = message(
    "No pictures were held out, so the accuracy on new pictures cannot be measured. "
    "Add more pictures per class, or hold some out."
)
PER_CLASS_HEADING: Final = message("Held-out pictures per class")


# --- Messages ----------------------------------------------------------------------------------

NO_PICTURES = "There are no pictures yet."
BRING_PICTURES = "Drop a folder with one sub-folder per class, or use the sample pictures."
NO_VISITOR = "This page does not know who you are yet."
RELOAD = "Wait a moment, or reload the page."
CLASSES_CHANGED = "The classes have changed since this page was drawn."
LOOK_AGAIN = "Look at the list again, then repeat the change."
NO_PATH = "No folder is named."
TYPE_PATH = "Type the path of a folder that holds one folder of pictures per class."
NO_ZIP = "There is no zip."
SEND_ZIP = "Send a zip with one folder per class."
NO_TEST_PICTURES = "There are no pictures to predict."
SEND_TEST_PICTURES = "Send one or more pictures."


def count(number: int, singular: str, plural: str) -> str:
    """`number` with its noun: "1 picture", "1,200 pictures"."""
    return f"{number:,} {singular if number == 1 else plural}"


def pictures(count: int) -> Message:
    """ "1 picture", "1,200 pictures"."""
    return counted_message("{count} picture", "{count} pictures", count=count)


def percent(share: float) -> str:
    """A share of 0 to 1 as whole percent: "84 %", which no line break parts."""
    return f"{share * 100:.0f}\u00a0%"


def duration(seconds: float) -> str:
    """Wall time for people: "under 1 s", "12 s", "1 min 40 s", "3 min", "2.5 h"."""
    if seconds < 1:
        return "under 1 s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 175:
        tens = f" {seconds % 60 // 10 * 10:.0f} s" if seconds % 60 >= 10 else ""
        return f"{seconds // 60:.0f} min{tens}"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def megabytes(number_of_bytes: int) -> str:
    """A size for people: "0 MB", "45 MB", "1.0 GB"; a little is 1 MB, so that it is not nothing."""
    if number_of_bytes >= 1_000_000_000:
        return f"{number_of_bytes / 1_000_000_000:.1f} GB"
    return f"{max(min(1, number_of_bytes), round(number_of_bytes / 1_000_000))} MB"


def unexpected_error(incident: str) -> Message:
    """What is said of a defect of ours."""
    return message(
        "Something went wrong on our side ({incident}). Nothing of yours is lost. Try again.",
        incident=incident,
    )


def disk_is_full(incident: str) -> Message:
    """What is said when the disk refuses where nobody had thought of it."""
    return message(
        "The disk of this machine is full ({incident}). "
        "Remove data sets or runs that are no longer needed, then try again.",
        incident=incident,
    )


def serving(url: str) -> Message:
    """What the server prints when it answers."""
    return message("{title} is at {url} (Ctrl+C ends it)", title=TITLE, url=url)


CHOOSE_PORT: Final = message(
    "Choose another port with --port, or end the program that uses this one."
)


def cannot_listen(host: str | None, port: int | None) -> Message:
    """Why the server did not start."""
    if port is None:
        return message("No port is free: 100 were tried from 7860 (or GRADIO_SERVER_PORT) on.")
    return message(
        "Cannot listen on port {port} of {host}: another program uses it, "
        "or the address is not this machine's.",
        port=str(port),
        host=host or message("this machine"),
    )


def accept_button(count: int) -> Message:
    """The button that puts an import to use."""
    return counted_message("Use this picture", "Use these {count} pictures", count=count)


def of_pictures(correct: int, total: int) -> Message:
    """How many of a class are right: "12 of 14"."""
    return message("{correct} of {total}", correct=correct, total=total)


def dataset_summary(images: int, classes: int, train: int, valid: int) -> str:
    """What is there, and how it is split."""
    return (
        f"{pictures(images)} in {count(classes, 'class', 'classes')}. "
        f"{train:,} to learn from, {valid:,} held out."
    )


def skipped_line(number: int) -> str:
    """How many files were left out; "" for none."""
    return f"{count(number, 'file was', 'files were')} left out." if number else ""


def and_more(number: int) -> str:
    """What a list does not show any more; "" for nothing."""
    return f"and {number:,} more" if number > 0 else ""


def amount(parameters: int) -> Message:
    """A number of parameters: "7,686", "3.4 M"."""
    if parameters < 100_000:
        return Message("{number}", (("number", parameters),))
    return message("{millions} M", millions=number(parameters / 1_000_000, 1))


def card_facts(card: Card, images_per_second: float | None) -> tuple[str, ...]:
    """What a backbone's card says below its title."""
    speed = (
        "speed not measured" if images_per_second is None else f"{images_per_second:.0f} /s here"
    )
    return (
        f"{amount(card.parameters)} parameters",
        f"{card.imagenet_top1:.0f} % ImageNet top\u20111",
        speed,
    )


def weights_line(card: Card, download: DownloadState, *, is_ready: bool) -> str:
    """Where the weights are, and what it takes to have them here."""
    if is_ready:
        return "ready offline"
    if download.state in ("waiting", "running"):
        return f"{megabytes(download.done_bytes)} of {megabytes(download.total_bytes)}"
    if download.state == "failed":
        return "download failed"
    return f"Download {megabytes(card.download_bytes)}"


def learning_sentence(counts: ParameterCounts, costs: Costs) -> str:
    """What learns, out of what, and what it takes; **strong** parts in asterisks."""
    everything = counts.trainable + counts.frozen
    what = (
        f"**{amount(counts.trainable)}** of {amount(everything)} parameters learn."
        if counts.frozen
        else f"All **{amount(everything)}** parameters learn."
    )
    memory = f"{megabytes(costs.memory_bytes)} of memory"
    if costs.seconds is None:
        return f"{what} About {memory}."
    takes = "Under **1 s**" if costs.seconds < 1 else f"About **{duration(costs.seconds)}**"
    if costs.epoch_seconds is not None:
        source = ", as measured here" if costs.is_epoch_measured else ""
        takes += f" ({duration(costs.epoch_seconds)} an epoch{source})"
    return f"{what} {takes} and {memory}."


def learning_sentence_without_classes(counts: ParameterCounts) -> str:
    """The same before there are any pictures: the head has no size yet."""
    if not counts.trainable:
        return (
            f"All **{amount(counts.frozen)}** parameters of the backbone stay. A new head learns."
        )
    if not counts.frozen:
        return (
            f"All **{amount(counts.trainable)}** parameters of the backbone learn, and a new head."
        )
    return (
        f"**{amount(counts.trainable)}** of the backbone's "
        f"{amount(counts.trainable + counts.frozen)} parameters learn, and a new head."
    )


def replaced(layer: str, going: int, coming: int | None) -> str:
    """The final layer that makes room for the new head; how many parameters go and come."""
    if coming is None:
        layer = f"{layer.rpartition(' -> ')[0]} -> your classes"
        return f"Replaced: {layer} ({amount(going)} parameters go)."
    return f"Replaced: {layer} ({amount(going)} parameters go, {amount(coming)} come)."


def accuracy_note(accuracy: float | None, interval: tuple[float, float] | None) -> Message:
    """What stands beside the accuracy chart's title, once it is known."""
    if accuracy is None or interval is None:
        return NOTHING
    low, high = interval
    return message(
        "held-out {share} ({low} to {high})",
        share=measured_percent(accuracy),
        low=number(low * 100),
        high=number(high * 100),
    )


def learned_elsewhere(dataset_name: str) -> Message:
    """Of a run on other pictures than those in the Data zone."""
    return message(
        'This run learned from "{name}", not from the pictures under Data.', name=dataset_name
    )


def limit_lines(limits: Limits) -> tuple[str, ...]:
    """What one visitor may ask of this server."""
    lines = [
        f"One picture: {megabytes(limits.image_bytes)}, {limits.image_pixels // 1_000_000} "
        f"megapixels ({limits.jpeg_pixels // 1_000_000} as JPEG, "
        f"{WEBP_PIXELS // 1_000_000} as WebP).",
        f"One zip: {megabytes(limits.archive_bytes)}, unpacked "
        f"{megabytes(limits.archive_unpacked_bytes)}.",
        f"One data set: {pictures(limits.images)} in {limits.classes:,} classes.",
        f"Kept for you: {limits.datasets} data sets and {limits.runs} runs.",
        f"One training: {limits.epochs:,} epochs, {duration(limits.training_seconds)}; "
        "the best epoch so far is kept.",
        f"Test pictures at once: {limits.try_images}.",
    ]
    if limits.idle_seconds is not None:
        lines.append(
            f"What you bring is removed {duration(limits.idle_seconds)} after your last visit."
        )
    return tuple(lines)


def import_progress(done: int, total: int) -> str:
    """While pictures are being read."""
    return f"Reading picture {done:,} of {total:,}."


def result_sentence(correct: int, total: int, low: float, high: float) -> Message:
    """The held-out result with its 95 % interval."""
    return counted_message(
        "{correct} of {count} held-out pictures are right: {share}. With {count} picture the true "
        "figure lies between {low} and {high} (95 % interval); it may be a little lower, since the "
        "best epoch was chosen on them.",
        "{correct} of {count} held-out pictures are right: {share}. With {count} pictures the true "
        "figure lies between {low} and {high} (95 % interval); it may be a little lower, since the "
        "best epoch was chosen on them.",
        count=total,
        correct=correct,
        share=measured_percent(correct / total),
        low=number(low * 100),
        high=measured_percent(high),
    )
