"""What the door says to those whom it does not let in, and what they can do."""

from collections.abc import Collection
from typing import Final

from tlapp.bounds import shortened
from tlapp.messages import Message, counted_message, joined, message, number
from tlapp.settings import MEGABYTE

ALLOW_HOST: Final = message("Start tlapp with --allow-host NAME to answer under another name.")
OPEN_ITSELF: Final = message(
    "Open this server's own page, or send the request from a program without Origin."
)
NOT_HERE: Final = message(
    "There is nothing here. The page is at /, the endpoints are listed in the README."
)
NO_ADDRESSES: Final = message(
    "This server fetches nothing from other addresses. Upload the file itself."
)
TOO_SLOW: Final = message(
    "The request came too slowly, so it was given up. Check the connection and try again."
)
DISK_IS_FULL: Final = message(
    "The disk of this machine is full. Remove data sets or runs, or come back later."
)
NO_FORM: Final = message("Send the files as multipart/form-data, each in a field called files.")
NO_JSON: Final = message(
    "This is no JSON object. Send {example} with the values in their order.",
    example='{"data": [...]}',
)
ALLOW_A_NAME: Final = message("Give a host's name alone, such as class.example.")
NO_DATA: Final = message(
    "The request lacks its values. Send {example} with them in their order.",
    example='{"data": [...]}',
)
NO_SESSION: Final = message("session_hash must be a short text of letters, digits, - and _.")
NO_EVENT: Final = message("The page has no event with this number. Reload the page.")
TOO_MANY_PARTS: Final = message("This JSON has too many parts. Send fewer values at once.")
NOT_UNDERSTOOD: Final = message(
    "The request was not understood. The README lists what each endpoint takes."
)
NOT_FOUND: Final = message("There is nothing under this address (any more).")
LOCAL_KEY_IS_MISSING: Final = message(
    "Folders of this machine can be read only from the page that the program's own address opens."
)
OPEN_PRINTED_ADDRESS: Final = message(
    "Open the address that tlapp printed when it started, with its key."
)


def unknown_host(host: str) -> Message:
    """The request asks for a name that is not this server's."""
    return joined(message('This server is not called "{host}".', host=shortened(host)), ALLOW_HOST)


def no_host_name(given: str) -> Message:
    """What was allowed as a host is none."""
    return message('"{given}" is no name of a host.', given=shortened(given))


def foreign_origin(origin: str) -> Message:
    """A page from elsewhere asks."""
    said = message(
        'Pages from elsewhere ("{origin}") cannot use this server.', origin=shortened(origin)
    )
    return joined(said, OPEN_ITSELF)


def body_too_large(limit_bytes: int) -> Message:
    """The request's body is over the limit."""
    limit = (
        message("{megabytes} MB", megabytes=number(limit_bytes / MEGABYTE))
        if limit_bytes >= MEGABYTE
        else message("{kilobytes} kB", kilobytes=number(limit_bytes / 1000))
    )
    return message("This request is too large: at most {limit} are accepted.", limit=limit)


def too_many_files(most: int) -> Message:
    """One request holds more files than are taken at once."""
    return counted_message(
        "At most {count} file can be sent at once. Send fewer, or pack them into one zip.",
        "At most {count} files can be sent at once. Send fewer, or pack them into one zip.",
        count=most,
    )


def too_many_uploads(seconds: int) -> Message:
    """This client sends more at once than its share."""
    return message(
        "Too many uploads at once from your address. Try again in {seconds} s.", seconds=seconds
    )


def too_many_bodies(seconds: int) -> Message:
    """So many large requests are coming at once that another one would take too much memory."""
    return message("Too many large requests at once. Try again in {seconds} s.", seconds=seconds)


def unknown_endpoint(name: str, known: Collection[str]) -> Message:
    """A program has named an endpoint that is not there."""
    return message(
        'There is no endpoint "{name}". Choose among: {known}.',
        name=shortened(name),
        known=", ".join(known),
    )


def too_many_waiting(seconds: int) -> Message:
    """This client's share of the queue is taken."""
    return message(
        "Too much is waiting for your address already. Try again in {seconds} s.", seconds=seconds
    )


def too_many_at_once(seconds: int) -> Message:
    """This client, or all together, have as many direct calls under way as are answered at once."""
    return message(
        "Too many calls at once. Try again in {seconds} s, or use /call, which waits its turn.",
        seconds=seconds,
    )


def too_many_listeners(seconds: int) -> Message:
    """This client holds as many connections or sessions as it may."""
    return message(
        "Too many pages or programs are open from your address. Close some, "
        "or try again in {seconds} s.",
        seconds=seconds,
    )
