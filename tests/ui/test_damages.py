"""What the page says of damaged files, and to whom."""

from dataclasses import replace
from types import SimpleNamespace
from typing import get_args

import pytest

from tlapp.damages import MOST_DAMAGES, Damage, DamageKind, Damages
from tlapp.messages import ENGLISH, verbatim, words
from tlapp.settings import Settings
from tlapp.ui import present
from tlapp.ui.text.damages import EARLIER_IS_USED, damage

MINE = Damage(kind="run", item="r_mine", fault=verbatim("<b>torn</b>"), owner="a" * 64)
THEIRS = Damage(kind="visitor", item="bbbbbbbb", fault=verbatim("torn"), owner="b" * 64)


def _shown(settings: Settings, found: tuple[Damage, ...], owner: str = "") -> str:
    workspace = SimpleNamespace(settings=settings, damages=SimpleNamespace(found=lambda: found))
    return present.damages(workspace, words(ENGLISH), owner)  # type: ignore[arg-type]  # all that is asked of it


def test_on_ones_own_machine_all_is_listed_and_escaped(settings: Settings) -> None:
    shown = _shown(settings, (MINE, THEIRS))
    assert "r_mine" in shown
    assert "bbbbbbbb" in shown
    assert "<b>torn" not in shown
    assert _shown(settings, ()) == ""


def test_strangers_see_what_is_theirs_and_how_much_else_there_is(settings: Settings) -> None:
    public = replace(settings, is_public=True)
    shown = _shown(public, (MINE, THEIRS), MINE.owner)
    assert "r_mine" in shown
    assert "bbbbbbbb" not in shown
    assert "1 file on this server" in shown
    nobody = _shown(public, (MINE, THEIRS))
    assert "r_mine" not in nobody
    assert "2 files on this server" in nobody


@pytest.mark.parametrize("kind", get_args(DamageKind))
def test_every_kind_says_what_to_do(kind: DamageKind) -> None:
    torn = Damage(kind=kind, item="x1", fault=verbatim("it is torn"))
    what, to_do = damage(torn)
    assert str(what).endswith(" is damaged: it is torn.")
    assert to_do
    assert damage(replace(torn, is_replaced=True))[1] == EARLIER_IS_USED


def test_each_is_kept_once_and_not_without_end() -> None:
    damages = Damages()
    for number in [0, *range(2 * MOST_DAMAGES)]:
        damages.note(replace(MINE, item=str(number)))
    assert len(damages.found()) == MOST_DAMAGES
    damages.forget("0")
    assert [each.item for each in damages.found()][:2] == ["1", "2"]


def test_what_was_met_before_its_owner_was_known_is_kept_once_as_the_owners() -> None:
    damages = Damages()
    for met in (replace(MINE, owner=""), MINE, replace(MINE, owner="")):
        damages.note(met)
    assert damages.found() == (MINE,)


def test_what_was_written_anew_is_forgotten_alone() -> None:
    damages = Damages()
    tried = replace(THEIRS, kind="tried")
    weights = Damage(kind="weights", item="efficientnet_lite0", fault=verbatim("torn"))
    for met in (THEIRS, tried, weights):
        damages.note(met)
    damages.forget(THEIRS.owner, "visitor")
    damages.forget(weights.item, "weights")
    assert damages.found() == (tried,)
