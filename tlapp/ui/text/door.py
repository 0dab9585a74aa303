"""What the door says to those whom it does not let in, and what they can do."""

from tlapp.bounds import shortened
from tlapp.settings import MEGABYTE

ALLOW_HOST = "Start tlapp with --allow-host NAME to answer under another name."
OPEN_ITSELF = "Open this server's own page, or send the request from a program without Origin."
NOT_HERE = "There is nothing here. The page is at /, the endpoints are listed in the README."
NO_ADDRESSES = "This server fetches nothing from other addresses. Upload the file itself."
TOO_SLOW = "The request came too slowly, so it was given up. Check the connection and try again."
DISK_IS_FULL = "The disk of this machine is full. Remove data sets or runs, or come back later."
NO_FORM = "Send the files as multipart/form-data, each in a field called files."
NO_JSON = 'This is no JSON object. Send {"data": [...]} with the values in their order.'
ALLOW_A_NAME = "Give a host's name alone, such as class.example."
NO_DATA = 'The request lacks its values. Send {"data": [...]} with them in their order.'
NO_SESSION = "session_hash must be a short text of letters, digits, - and _."
NO_EVENT = "The page has no event with this number. Reload the page."
TOO_MANY_PARTS = "This JSON has too many parts. Send fewer values at once."
NOT_UNDERSTOOD = "The request was not understood. The README lists what each endpoint takes."
NOT_FOUND = "There is nothing under this address (any more)."
LOCAL_KEY_IS_MISSING = (
    "Folders of this machine can be read only from the page that the program's own address opens."
)
OPEN_PRINTED_ADDRESS = "Open the address that tlapp printed when it started, with its key."


def unknown_host(host: str) -> str:
    """The request asks for a name that is not this server's."""
    return f'This server is not called "{shortened(host)}". {ALLOW_HOST}'


def no_host_name(given: str) -> str:
    """What was allowed as a host is none."""
    return f'"{shortened(given)}" is no name of a host.'


def foreign_origin(origin: str) -> str:
    """A page from elsewhere asks."""
    return f'Pages from elsewhere ("{shortened(origin)}") cannot use this server. {OPEN_ITSELF}'


def body_too_large(limit_bytes: int) -> str:
    """The request's body is over the limit."""
    limit = (
        f"{limit_bytes / MEGABYTE:,.0f} MB"
        if limit_bytes >= MEGABYTE
        else f"{limit_bytes / 1000:,.0f} kB"
    )
    return f"This request is too large: at most {limit} are accepted."


def too_many_files(most: int) -> str:
    """One request holds more files than are taken at once."""
    return f"At most {most:,} files can be sent at once. Send fewer, or pack them into one zip."


def too_many_uploads(seconds: int) -> str:
    """This client sends more at once than its share."""
    return f"Too many uploads at once from your address. Try again in {seconds} s."


def too_many_bodies(seconds: int) -> str:
    """So many large requests are coming at once that another one would take too much memory."""
    return f"Too many large requests at once. Try again in {seconds} s."


def unknown_endpoint(name: str, known: tuple[str, ...]) -> str:
    """A program has named an endpoint that is not there."""
    return f'There is no endpoint "{shortened(name)}". Choose among: {", ".join(known)}.'


def too_many_waiting(seconds: int) -> str:
    """This client's share of the queue is taken."""
    return f"Too much is waiting for your address already. Try again in {seconds} s."


def too_many_at_once(seconds: int) -> str:
    """This client, or all together, have as many direct calls under way as are answered at once."""
    return f"Too many calls at once. Try again in {seconds} s, or use /call, which waits its turn."


def too_many_listeners(seconds: int) -> str:
    """This client holds as many connections or sessions as it may."""
    return (
        f"Too many pages or programs are open from your address. Close some, "
        f"or try again in {seconds} s."
    )
