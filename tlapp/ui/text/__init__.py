"""Every word on the screen. Sentence case, plain words, the next step always said.

A constant is a message; functions give messages with their values. `later` or a visit's words put
them into a language.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tlapp.backbones.catalog import Card
from tlapp.backbones.loading import FinalLayer
from tlapp.data.memory import WEBP_PIXELS
from tlapp.messages import (
    NOTHING,
    Message,
    alone,
    counted_message,
    duration,
    joined,
    message,
    number,
    percent,
    size,
)
from tlapp.settings import Limits
from tlapp.training.counts import ParameterCounts
from tlapp.workspace import Costs, DownloadState

TITLE: Final = message("Transfer Learning Lab")
TAGLINE: Final = message("Teach a pretrained network your own classes, and see how it learns.")


# --- Zones -------------------------------------------------------------------------------------

DATA_HEADING: Final = message("Data")
TRAIN_HEADING: Final = message("Train")
TRY_HEADING: Final = message("Try")
RESULTS_HEADING: Final = message("Results")
COMPARE_HEADING: Final = message("Compare runs")
LIMITS_HEADING: Final = message("Limits of this server")

# --- Data --------------------------------------------------------------------------------------

LOCAL_PATH_HEADING: Final = message("Use a folder on this computer")
LOCAL_PATH_LABEL: Final = message("Path of the folder")
LOCAL_PATH_BUTTON: Final = message("Read this folder")
ACCEPT_BUTTON: Final = message("Use these pictures")
DISCARD_BUTTON: Final = message("Discard")
SPLIT_HEADING: Final = message("How pictures are held out")
SPLIT_SHARE_LABEL: Final = message("Held out for testing (percent)")
SPLIT_SHARE_INFO: Final = message(
    "The network never learns from these. They show how well it does on new pictures."
)
SPLIT_SEED_LABEL: Final = message("Shuffle number")
SPLIT_SEED_INFO: Final = message(
    "Another number draws other pictures. The same number draws the same ones."
)
OWN_SPLIT: Final = message("This folder brings its own split, and it is kept.")

# --- Train -------------------------------------------------------------------------------------

OPENING: Final = message("One moment: the page looks for what you left here.")
NOT_OPENED: Final = message(
    "The page could not find what you left here. Nothing of it is lost: reload the page."
)
PRESS_TRAIN: Final = message("Now press Train.")
BRING_PICTURES_FIRST: Final = message(
    "First bring pictures: drop a folder, or use the samples. Then press Train."
)
HEAD_STAGE: Final = "head"  # a name, as those of the stages; `stages.stage_title` says it
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
SETTINGS_HEADING: Final = message("Settings")
RESET_SETTINGS_BUTTON: Final = message("Back to the defaults")

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

NO_PICTURES: Final = message("There are no pictures yet.")
BRING_PICTURES: Final = message(
    "Drop a folder with one sub-folder per class, or use the sample pictures."
)
NO_VISITOR: Final = message("This page does not know who you are yet.")
RELOAD: Final = message("Wait a moment, or reload the page.")
CLASSES_CHANGED: Final = message("The classes have changed since this page was drawn.")
LOOK_AGAIN: Final = message("Look at the list again, then repeat the change.")
NO_PATH: Final = message("No folder is named.")
TYPE_PATH: Final = message("Type the path of a folder that holds one folder of pictures per class.")
NO_ZIP: Final = message("There is no zip.")
SEND_ZIP: Final = message("Send a zip with one folder per class.")
NO_TEST_PICTURES: Final = message("There are no pictures to predict.")
SEND_TEST_PICTURES: Final = message("Send one or more pictures.")


def pictures(count: int) -> Message:
    """ "1 picture", "1,200 pictures"."""
    return counted_message("{count} picture", "{count} pictures", count=count)


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
        "Cannot listen on port {port} of {host}: another program uses it, or the address is not "
        "this machine's.",
        port=str(port),
        host=host or message("this machine"),
    )


def accept_button(count: int) -> Message:
    """The button that puts an import to use."""
    return counted_message("Use this picture", "Use these {count} pictures", count=count)


def of_pictures(correct: int, total: int) -> Message:
    """How many of a class are right: "12 of 14"."""
    return message("{correct} of {total}", correct=correct, total=total)


def _classes(count: int) -> Message:
    return counted_message("{count} class", "{count} classes", count=count)


def dataset_summary(images: int, classes: int, train: int, valid: int) -> Message:
    """What is there, and how it is split."""
    return message(
        "{pictures} in {classes}. {train} to learn from, {valid} held out.",
        pictures=pictures(images),
        classes=_classes(classes),
        train=train,
        valid=valid,
    )


def skipped_line(count: int) -> Message:
    """How many files were left out; nothing for none."""
    if not count:
        return NOTHING
    return counted_message(
        "{count} file was left out.", "{count} files were left out.", count=count
    )


def and_more(count: int) -> Message:
    """What a list does not show any more; nothing for none."""
    if count <= 0:
        return NOTHING
    return counted_message("and {count} more", "and {count} more", count=count)


def amount(parameters: int) -> Message:
    """A number of parameters: "7,686", "3.4 M"."""
    if parameters < 100_000:
        return alone(parameters)
    return message("{millions} M", millions=number(parameters / 1_000_000, 1))


def card_facts(card: Card, images_per_second: float | None) -> tuple[Message, ...]:
    """What a backbone's card says below its title."""
    return (
        message("{amount} parameters", amount=amount(card.parameters)),
        message("{percent} % ImageNet top\u20111", percent=number(card.imagenet_top1)),
        message("speed not measured")
        if images_per_second is None
        else message("{count} /s here", count=f"{images_per_second:.0f}"),
    )


def weights_line(card: Card, download: DownloadState, *, is_ready: bool) -> Message:
    """Where the weights are, and what it takes to have them here."""
    if is_ready:
        return message("ready offline")
    if download.state in ("waiting", "running"):
        done, total = size(download.done_bytes), size(download.total_bytes)
        return message("{done} of {total}", done=done, total=total)
    if download.state == "failed":
        return message("download failed")
    return message("Download {size}", size=size(card.download_bytes))


def learning_sentence(counts: ParameterCounts, costs: Costs) -> Message:
    """What learns, out of what, and what it takes; **strong** parts in asterisks."""
    everything = amount(counts.trainable + counts.frozen)
    what = (
        message(
            "**{learning}** of {amount} parameters learn.",
            learning=amount(counts.trainable),
            amount=everything,
        )
        if counts.frozen
        else message("All **{amount}** parameters learn.", amount=everything)
    )
    memory = size(costs.memory_bytes)
    if costs.seconds is None:
        return joined(what, message("About {memory} of memory.", memory=memory))
    return joined(what, message("{time} and {memory} of memory.", time=_time(costs), memory=memory))


def _time(costs: Costs) -> Message:
    """How long it takes, and what an epoch takes of that."""
    seconds = costs.seconds or 0
    takes = (
        message("Under **1 s**")
        if seconds < 1
        else message("About **{time}**", time=duration(seconds))
    )
    if costs.epoch_seconds is None:
        return takes
    epoch = duration(costs.epoch_seconds)
    if costs.is_epoch_measured:
        return message("{time} ({epoch} an epoch, as measured here)", time=takes, epoch=epoch)
    return message("{time} ({epoch} an epoch)", time=takes, epoch=epoch)


def learning_sentence_without_classes(counts: ParameterCounts) -> Message:
    """The same before there are any pictures: the head has no size yet."""
    if not counts.trainable:
        return message(
            "All **{amount}** parameters of the backbone stay. A new head learns.",
            amount=amount(counts.frozen),
        )
    if not counts.frozen:
        return message(
            "All **{amount}** parameters of the backbone learn, and a new head.",
            amount=amount(counts.trainable),
        )
    return message(
        "**{learning}** of the backbone's {amount} parameters learn, and a new head.",
        learning=amount(counts.trainable),
        amount=amount(counts.trainable + counts.frozen),
    )


def replaced(layer: FinalLayer, width: int, class_count: int) -> Message:
    """The final layer that makes room for the new head of so many classes (0: not known yet), which
    sees features of this width; how many parameters go and come."""
    before = f"{layer.inputs} -> {layer.outputs}"
    going = amount((layer.inputs + 1) * layer.outputs)
    if not class_count:
        return message(
            "Replaced: {layer}: {before} becomes {width} -> your classes ({going} parameters go).",
            layer=layer.path,
            before=before,
            width=str(width),
            going=going,
        )
    return message(
        "Replaced: {layer}: {before} becomes {after} ({going} parameters go, {coming} come).",
        layer=layer.path,
        before=before,
        after=f"{width} -> {class_count}",
        going=going,
        coming=amount((width + 1) * class_count),
    )


def accuracy_note(accuracy: float | None, interval: tuple[float, float] | None) -> Message:
    """What stands beside the accuracy chart's title; nothing while nothing is known."""
    if accuracy is None or interval is None:
        return NOTHING
    low, high = (number(share * 100) for share in interval)
    return message(
        "held-out {accuracy} ({low} to {high})",
        accuracy=percent(accuracy),
        low=low,
        high=high,
    )


def learned_elsewhere(dataset_name: str) -> Message:
    """Of a run on other pictures than those in the Data zone."""
    return message(
        'This run learned from "{name}", not from the pictures under Data.', name=dataset_name
    )


def limit_lines(limits: Limits) -> tuple[Message, ...]:
    """What one visitor may ask of this server."""
    million = 1_000_000
    return (
        message(
            "One picture: {size}, {pixels} megapixels ({jpeg} as JPEG, {webp} as WebP).",
            size=size(limits.image_bytes),
            pixels=limits.image_pixels // million,
            jpeg=limits.jpeg_pixels // million,
            webp=WEBP_PIXELS // million,
        ),
        message(
            "One zip: {size}, unpacked {unpacked}.",
            size=size(limits.archive_bytes),
            unpacked=size(limits.archive_unpacked_bytes),
        ),
        message(
            "One data set: {pictures} in {classes}.",
            pictures=pictures(limits.images),
            classes=_classes(limits.classes),
        ),
        message(
            "Kept for you: {datasets} and {runs}.",
            datasets=counted_message(
                "{count} data set", "{count} data sets", count=limits.datasets
            ),
            runs=counted_message("{count} run", "{count} runs", count=limits.runs),
        ),
        message(
            "One training: {epochs}, {time}; the best epoch so far is kept.",
            epochs=counted_message("{count} epoch", "{count} epochs", count=limits.epochs),
            time=duration(limits.training_seconds),
        ),
        message("Test pictures at once: {count}.", count=limits.try_images),
        *_removal_line(limits.idle_seconds),
    )


def _removal_line(idle_seconds: float | None) -> tuple[Message, ...]:
    if idle_seconds is None:
        return ()
    time = duration(idle_seconds)
    return (message("What you bring is removed {time} after your last visit.", time=time),)


def import_progress(done: int, total: int) -> Message:
    """While pictures are being read."""
    return message("Reading picture {done} of {total}.", done=done, total=total)


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
        share=percent(correct / total),
        low=number(low * 100),
        high=percent(high),
    )
