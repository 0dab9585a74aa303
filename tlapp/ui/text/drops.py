"""The words of the two drop zones.

Braces are filled in the browser. A pair is singular and plural.
"""

from collections.abc import Mapping
from typing import Literal

from tlapp.messages import Message, message, size

Words = Mapping[str, str | tuple[str, str]]
LeftOutWhy = Literal["no_picture", "too_large", "unreadable"]  # why a file was not sent

SENDING_WORDS: Words = {
    "cancel": "Cancel",
    "stopping": "Stopping.",
    "stopped": "Stopped. Nothing was sent.",
    "busy": "One at a time: wait until this is done, or press Cancel.",
    "lost": "The connection was lost",
    "lost_hint": "Nothing has changed. Check the network, then drop it again.",
    "too_large": "That is too large",
    "refused": "The server did not take it",
    "refused_hint": "Nothing has changed. Wait a moment, then drop it again.",
    "failed": "That did not work",
    "failed_hint": "Nothing has changed. Reload the page, then try again.",
    "unreadable": "The browser could not read the files",
    "unreadable_hint": "Were they moved, or on a drive that is gone? Copy them to this computer and drop them again.",
    "pictures": ("{count} picture", "{count} pictures"),
}

# Why a file was not sent, as the rest of a sentence that begins with its name.
LEFT_OUT_REASONS: Mapping[str, str] = {
    "no_picture": "is not a picture we can read (JPG, PNG, WebP, GIF, BMP, TIFF).",
    "too_large": "is larger than {limit}, which is the limit.",
    "unreadable": "could not be read by the browser.",
}

FOLDER_WORDS: Words = {
    **SENDING_WORDS,
    "heading": "Drop a folder here",
    "hint": "one sub-folder per class, or a zip",
    "choose_folder": "Choose a folder",
    "choose_zip": "Choose a zip",
    "sample": "Use the sample pictures",
    "looking": "Looking into the folder",
    "looking_hint": "Reading",
    "files": ("{count} file", "{count} files"),
    "folders": ("{count} folder", "{count} folders"),
    "found": "{pictures} in {folders}",
    "folders_name": "pictures",
    "shrinking": "Reading and shrinking {done} of {total}",
    "sending": "Sending {done} of {total}, {size}",
    "sending_zip": "Sending {size} of {total}",
    "sent": "{what} sent.",
    "left_out": (
        "{count} file stayed behind: no picture, or too large.",
        "{count} files stayed behind: no pictures, or too large.",
    ),
    "too_large_hint": "{size}, and this server takes {limit} at once. Drop fewer or smaller pictures.",
    "picture_too_large_hint": "A picture may have at most {limit} here. Drop smaller pictures.",
    "too_many_hint": "This server takes at most {count} at once. Drop fewer pictures.",
    "nothing": "No pictures found",
    "nothing_hint": "Drop a folder that holds one sub-folder of pictures for each class.",
    "no_folder": "These pictures have no class yet",
    "no_folder_hint": "Put the pictures of each class into a folder with the name of the class, and drop the folders.",
    "not_a_zip": "{name} is not a zip",
    "not_a_zip_hint": "Drop a folder, or a zip of it.",
    "empty_zip": "{name} is empty",
    "empty_zip_hint": "Make the zip again, then drop it here.",
    "many_zips": "These are several zips",
    "many_zips_hint": "Put all classes into one zip, or drop the folders themselves.",
}

PICTURE_WORDS: Words = {
    **SENDING_WORDS,
    "heading": "Drop test pictures",
    "hint": "one or many, or paste, or use the webcam",
    "choose": "Choose pictures",
    "webcam": "Use the webcam",
    "looking": "Reading",
    "shrinking": "Reading",
    "sending": "Sending {size} of {total}",
    "more_left_out": (
        "{count} other file was left out.",
        "{count} other files were left out.",
    ),
    "only_first": "More than fit at once: these are the first {count}.",
    "too_large_hint": "A picture may have at most {limit} here. Drop a smaller one.",
    "nothing": "That is not a picture",
    "nothing_hint": "Drop JPG, PNG, WebP, GIF, BMP or TIFF files.",
    "pasted_name": "pasted picture",
    "snap": "Take the picture",
    "close_camera": "Close",
    "camera_view": "What the camera sees",
    "snap_name": "webcam {number}.jpg",
    "camera_insecure": "The webcam needs a secure address",
    "camera_insecure_hint": "Browsers allow it on https and on localhost only. Drop or choose pictures instead.",
    "camera_refused": "The browser did not allow the camera",
    "camera_refused_hint": "Allow it in the address bar, then press the button again.",
    "camera_missing": "No camera was found",
    "camera_missing_hint": "Plug one in, then press the button again.",
    "camera_failed": "The camera did not start",
    "camera_failed_hint": "Another program may be using it. Close that, then press the button again.",
}


def left_out(name: str, why: LeftOutWhy, limit_bytes: int) -> Message:
    """Why a file of a folder was not sent."""
    match why:
        case "no_picture":
            return message(
                "{name} is not a picture we can read (JPG, PNG, WebP, GIF, BMP, TIFF).", name=name
            )
        case "too_large":
            limit = size(limit_bytes)
            return message(
                "{name} is larger than {limit}, which is the limit.", name=name, limit=limit
            )
        case "unreadable":
            return message("{name} could not be read by the browser.", name=name)
