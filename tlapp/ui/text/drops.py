"""The words of the two drop zones. Braces are filled in the browser, which also does the counting."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final, Literal

from tlapp.messages import Message, counted_message, message, size

Table = Mapping[str, Message]
LeftOutWhy = Literal["no_picture", "too_large", "unreadable"]  # why a file was not sent

SENDING_WORDS: Final[Table] = MappingProxyType(
    {
        "cancel": message("Cancel"),
        "stopping": message("Stopping."),
        "stopped": message("Stopped. Nothing was sent."),
        "busy": message("One at a time: wait until this is done, or press Cancel."),
        "lost": message("The connection was lost"),
        "lost_hint": message("Nothing has changed. Check the network, then drop it again."),
        "too_large": message("That is too large"),
        "refused": message("The server did not take it"),
        "refused_hint": message("Nothing has changed. Wait a moment, then drop it again."),
        "failed": message("That did not work"),
        "failed_hint": message("Nothing has changed. Reload the page, then try again."),
        "unreadable": message("The browser could not read the files"),
        "unreadable_hint": message(
            "Were they moved, or on a drive that is gone? Copy them to this computer and drop them again."
        ),
        "pictures": counted_message("{count} picture", "{count} pictures"),
    }
)

LEFT_OUT_REASONS: Final[Mapping[LeftOutWhy, Message]] = MappingProxyType(
    {
        "no_picture": message(
            "{name} is not a picture we can read (JPG, PNG, WebP, GIF, BMP, TIFF)."
        ),
        "too_large": message("{name} is larger than {limit}, which is the limit."),
        "unreadable": message("{name} could not be read by the browser."),
    }
)


def left_out(name: str, why: LeftOutWhy, limit_bytes: int) -> Message:
    """Why a file of a folder was not sent."""
    values = (("name", name), ("limit", size(limit_bytes)))
    return replace(LEFT_OUT_REASONS[why], values=values)


FOLDER_WORDS: Final[Table] = MappingProxyType(
    {
        **SENDING_WORDS,
        "heading": message("Drop a folder here"),
        "hint": message("one sub-folder per class, or a zip"),
        "choose_folder": message("Choose a folder"),
        "choose_zip": message("Choose a zip"),
        "sample": message("Use the sample pictures"),
        "looking": message("Looking into the folder"),
        "looking_hint": message("Reading"),
        "files": counted_message("{count} file", "{count} files"),
        "folders": counted_message("{count} folder", "{count} folders"),
        "found": message("{pictures} in {folders}"),
        "folders_name": message("pictures"),
        "shrinking": message("Reading and shrinking {done} of {total}"),
        "sending": message("Sending {done} of {total}, {size}"),
        "sending_zip": message("Sending {size} of {total}"),
        "sent": message("{what} sent."),
        "left_out": counted_message(
            "{count} file stayed behind: no picture, or too large.",
            "{count} files stayed behind: no pictures, or too large.",
        ),
        "too_large_hint": message(
            "{size}, and this server takes {limit} at once. Drop fewer or smaller pictures."
        ),
        "picture_too_large_hint": message(
            "A picture may have at most {limit} here. Drop smaller pictures."
        ),
        "too_many_hint": counted_message(
            "This server takes at most {count} at once. Drop fewer pictures.",
            "This server takes at most {count} at once. Drop fewer pictures.",
        ),
        "nothing": message("No pictures found"),
        "nothing_hint": message(
            "Drop a folder that holds one sub-folder of pictures for each class."
        ),
        "no_folder": message("These pictures have no class yet"),
        "no_folder_hint": message(
            "Put the pictures of each class into a folder with the name of the class, and drop the folders."
        ),
        "not_a_zip": message("{name} is not a zip"),
        "not_a_zip_hint": message("Drop a folder, or a zip of it."),
        "empty_zip": message("{name} is empty"),
        "empty_zip_hint": message("Make the zip again, then drop it here."),
        "many_zips": message("These are several zips"),
        "many_zips_hint": message("Put all classes into one zip, or drop the folders themselves."),
    }
)

PICTURE_WORDS: Final[Table] = MappingProxyType(
    {
        **SENDING_WORDS,
        "heading": message("Drop test pictures"),
        "hint": message("one or many, or paste, or use the webcam"),
        "choose": message("Choose pictures"),
        "webcam": message("Use the webcam"),
        "looking": message("Reading"),
        "shrinking": message("Reading"),
        "sending": message("Sending {size} of {total}"),
        "more_left_out": counted_message(
            "{count} other file was left out.", "{count} other files were left out."
        ),
        "only_first": counted_message(
            "More than fit at once: these are the first {count}.",
            "More than fit at once: these are the first {count}.",
        ),
        "too_large_hint": message("A picture may have at most {limit} here. Drop a smaller one."),
        "nothing": message("That is not a picture"),
        "nothing_hint": message("Drop JPG, PNG, WebP, GIF, BMP or TIFF files."),
        "pasted_name": message("pasted picture"),
        "snap": message("Take the picture"),
        "close_camera": message("Close"),
        "camera_view": message("What the camera sees"),
        "snap_name": message("webcam {number}.jpg"),
        "camera_insecure": message("The webcam needs a secure address"),
        "camera_insecure_hint": message(
            "Browsers allow it on https and on localhost only. Drop or choose pictures instead."
        ),
        "camera_refused": message("The browser did not allow the camera"),
        "camera_refused_hint": message("Allow it in the address bar, then press the button again."),
        "camera_missing": message("No camera was found"),
        "camera_missing_hint": message("Plug one in, then press the button again."),
        "camera_failed": message("The camera did not start"),
        "camera_failed_hint": message(
            "Another program may be using it. Close that, then press the button again."
        ),
    }
)
