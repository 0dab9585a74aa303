"""The home folder: made and tried before anything is opened in it, then checked for damage."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from tlapp.damages import Damage, Damages
from tlapp.errors import ServerError, TlappError
from tlapp.files import temporary_path

Look = Callable[[], object]

# Without these nothing can be kept; what else cannot be used is told where it is missed.
NEEDED_FOLDERS = ("", "runs", "runs/.locks")
OTHER_FOLDERS = ("datasets", "visitors", "tried", "features", "weights")


def open_home(home: Path, needed: Sequence[str] = NEEDED_FOLDERS) -> None:
    """Make the home folder, and those in it that are needed, where there are none.

    Raises ServerError when one cannot be written.
    """
    for name in needed:
        try:
            (home / name).mkdir(parents=True, exist_ok=True)
            probe = temporary_path(home / name / "probe")
            probe.touch()
            probe.unlink()
        except OSError as error:
            what = f'The folder "{name}" in tlapp\'s home' if name else "tlapp's home folder"
            raise ServerError(
                f"{what} cannot be used: {error.strerror or 'unknown reason'}.",
                hint="Let tlapp write there, or name another folder in TLAPP_HOME "
                "(without it, it is .tlapp in your own folder).",
            ) from error


class HomeCheck:
    """What is damaged in the home folder, as far as it was met. Safe for several threads."""

    def __init__(self, home: Path, damages: Damages, looks: Sequence[Look]) -> None:
        """Each of `looks` goes through the files of one store and tells `damages`."""
        self._home = home
        self._damages = damages
        self._looks = looks

    def found(self) -> tuple[Damage, ...]:
        """What was met since the start, in that order. Quick."""
        return self._damages.found()

    def look(self) -> tuple[Damage, ...]:
        """The same after a look at everything but the content of pictures, features and weights,
        which is checked whenever it is read."""
        for name in OTHER_FOLDERS:
            folder = self._home / name
            if (folder.exists() or folder.is_symlink()) and not folder.is_dir():
                fault = "something else stands in its place"
                self._damages.note(Damage(kind="folder", item=name, fault=fault))
        for look in self._looks:
            with suppress(TlappError, OSError):  # a store that cannot be read hides no other
                look()
        return self.found()
