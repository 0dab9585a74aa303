"""Events: read, carried out and drawn; and the watcher that draws what else has changed."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from tests.pictures import jpeg
from tests.workspace.conftest import PATIENCE_SECONDS, StepTraining
from tlapp.data.dataset import Dataset
from tlapp.errors import DataError, NotFoundError, TlappError
from tlapp.messages import verbatim
from tlapp.training.config import TrainConfig
from tlapp.ui.page import Page
from tlapp.ui.panels.panel import Update
from tlapp.ui.sent import Reads, Sent
from tlapp.ui.table import Panels, watched
from tlapp.ui.text import trying as words
from tlapp.ui.visit import Visit
from tlapp.ui.wiring import (
    Row,
    Wiring,
    carry_out,
    carry_out_stepwise,
    carry_out_waiting,
    follow,
    open_page,
)
from tlapp.workspace import is_token, new_visitor, owner_of

TOKEN: Any = gr.BrowserState("", render=False)
BOX = gr.Textbox(render=False)
NOTE = gr.HTML(render=False)
BUTTON = gr.Button(render=False)
OTHER = DataError(verbatim("No."), hint=verbatim("Choose another one."))


def _request(tab: str = "tab") -> Any:
    return SimpleNamespace(session_hash=tab, headers={"cookie": "a=b"})


class InUse:
    """A panel that shows which data set is in use."""

    def __init__(self) -> None:
        self.component = gr.HTML(render=False)

    def build(self) -> None:
        """Nothing: the component is there."""

    @property
    def outputs(self) -> tuple[gr.HTML, ...]:
        return (self.component,)

    def view(self, visit: Visit) -> str | None:
        return visit.state.dataset_id

    def render(self, visit: Visit) -> Update:
        return {self.component: visit.state.dataset_id}


def _use(visit: Visit, name: str) -> None:
    visit.keep(dataset_id=name)


def _refuse(visit: Visit, form: object) -> None:
    raise OTHER


def _use_in_steps(visit: Visit, name: str) -> Iterator[int]:
    yield 1
    if name == "refused":
        raise OTHER
    visit.keep(dataset_id=name)
    yield 2


async def _use_in_time(visit: Visit, name: str) -> AsyncIterator[int]:
    for step in _use_in_steps(visit, name):
        yield step


def _row(action: Callable[[Visit, Any], Any], **values: Any) -> Row:
    reads: Reads[Any] = Reads((BOX,), lambda sent: sent.values[BOX])
    return Row(event=BUTTON.click, action=action, **{"reads": reads, **values})


def _press(page: Page, row: Row, token: str, text: str = "d", said: object = None) -> Any:
    event = gr.EventData(None, said)
    return carry_out(page, row, TOKEN, {TOKEN: token, BOX: text}, _request(), event)


def _steps(page: Page, row: Row, token: str, text: str = "d") -> list[Update | None]:
    values = {TOKEN: token, BOX: text}
    if row.action is _use_in_steps:
        return list(carry_out_stepwise(page, row, TOKEN, values, _request()))

    async def collect() -> list[Update | None]:
        updates = carry_out_waiting(page, row, TOKEN, values, _request())
        return [update async for update in updates]

    return asyncio.run(collect())


def test_what_is_shown_is_what_is_there_after_the_action(page: Page, token: str) -> None:
    panel = InUse()
    assert _press(page, _row(_use, shows=(panel,)), token) == {panel.component: "d"}
    assert page.visit(token).state.dataset_id == "d"


def test_what_is_refreshed_is_drawn_only_when_another_view_is_to_be_seen(
    page: Page, token: str
) -> None:
    shown, refreshed = InUse(), InUse()
    row = _row(_use, shows=(shown,), refreshes=(refreshed,))
    both = [shown.component, refreshed.component]
    assert row.outputs == both
    assert list(_press(page, row, token, "d")) == both
    assert list(_press(page, row, token, "d")) == both[:1]
    assert list(_press(page, row, token, "e")) == both
    page.tabs.forget(page.visit(token, "tab"))
    assert list(_press(page, row, token, "e")) == both


def test_every_output_is_named_once(page: Page) -> None:
    panel = InUse()
    row = _row(_use, shows=(panel, panel), refreshes=(panel,), fills=(NOTE, panel.component))
    assert row.outputs == [panel.component, NOTE]


def test_an_event_that_has_nothing_to_draw_draws_nothing(page: Page, token: str) -> None:
    """Gradio takes an empty update for the value of the first output."""
    panel = InUse()
    row = _row(_use, refreshes=(panel,))
    _press(page, row, token)
    assert _press(page, row, token) == {panel.component: gr.skip()}
    assert _press(page, _row(_use), token, "e") is None
    assert page.visit(token).state.dataset_id == "e"


def test_notes_are_drawn_of_what_was_sent(page: Page, token: str) -> None:
    row = Row(
        event=BUTTON.click,
        reads=Reads((BOX,), lambda sent: sent.values[BOX]),
        notes=lambda visit, form: {NOTE: (visit.owner, form)},
        fills=(NOTE,),
    )
    assert _press(page, row, token, "typed") == {NOTE: (owner_of(token), "typed")}


@pytest.mark.parametrize("said", [None, "name", 3, ["name"], {}, {"name": "cat"}], ids=str)
def test_an_action_is_told_what_the_event_says_and_the_cookie(
    page: Page, token: str, said: object
) -> None:
    seen: list[Sent] = []
    row = _row(lambda visit, sent: seen.append(sent), reads=Reads((BOX,), lambda sent: sent))
    _press(page, row, token, "typed", said)
    (sent,) = seen
    assert sent.event == (said if isinstance(said, dict) else {})
    assert (sent.values[BOX], sent.cookie) == ("typed", "a=b")


def test_an_event_of_a_component_that_says_nothing_says_nothing(page: Page, token: str) -> None:
    seen: list[Sent] = []
    row = _row(lambda visit, sent: seen.append(sent), reads=Reads((), lambda sent: sent))
    carry_out(page, row, TOKEN, {TOKEN: token}, SimpleNamespace(session_hash="t", headers={}))  # type: ignore[arg-type]  # it has what is asked of it
    assert (seen[0].event, seen[0].cookie) == ({}, "")


def _in_place(visit: Visit, error: TlappError) -> Update:
    return {NOTE: f"{error} {error.hint}"}


def test_a_refusal_is_shown_in_its_place_or_told_over_the_page(page: Page, token: str) -> None:
    panel = InUse()
    row = _row(_refuse, shows=(panel,), refused=_in_place, fills=(NOTE,))
    assert _press(page, row, token) == {NOTE: "No. Choose another one."}
    with pytest.raises(DataError) as told:
        _press(page, _row(_refuse, shows=(panel,)), token)
    assert told.value is OTHER


def test_what_cannot_be_read_is_refused_in_the_same_way_and_nothing_is_done(
    page: Page, token: str
) -> None:
    def read(sent: Sent) -> object:
        raise OTHER

    row = _row(_use, reads=Reads((), read), refused=_in_place, fills=(NOTE,))
    assert _press(page, row, token) == {NOTE: "No. Choose another one."}
    with pytest.raises(DataError):
        _press(page, _row(_use, reads=Reads((), read)), token)
    assert page.visit(token).state.dataset_id is None


def test_a_defect_is_no_refusal(page: Page, token: str) -> None:
    def fail(visit: Visit, form: object) -> None:
        raise ValueError("a defect")

    with pytest.raises(ValueError, match="a defect"):
        _press(page, _row(fail, refused=_in_place, fills=(NOTE,)), token)


@pytest.mark.parametrize("stranger", ["", None, 3, "x" * 42])
def test_nobody_without_a_token_has_anything_done(page: Page, stranger: Any) -> None:
    done: list[object] = []
    row = _row(lambda visit, form: done.append(form))
    with pytest.raises(NotFoundError):
        _press(page, row, stranger)
    assert done == []


@pytest.mark.parametrize("action", [_use_in_steps, _use_in_time])
def test_an_action_that_tells_how_far_it_is_is_drawn_step_by_step(
    page: Page, token: str, action: Callable[[Visit, Any], Any]
) -> None:
    panel = InUse()
    row = _row(
        action,
        shows=(panel,),
        progress=lambda visit, value: {NOTE: (visit.state.dataset_id, value)},
    )
    assert _steps(page, row, token) == [
        {NOTE: (None, 1)},
        {NOTE: ("d", 2)},
        {panel.component: "d"},
    ]


def test_a_refusal_after_the_first_step_is_shown_in_its_place(page: Page, token: str) -> None:
    panel = InUse()
    row = _row(
        _use_in_steps,
        shows=(panel,),
        progress=lambda visit, value: {NOTE: value},
        refused=_in_place,
        fills=(NOTE,),
    )
    assert _steps(page, row, token, "refused") == [{NOTE: 1}, {NOTE: "No. Choose another one."}]


def test_a_refusal_of_an_action_that_waits_is_told_over_the_page(page: Page, token: str) -> None:
    row = _row(_use_in_time, progress=lambda visit, value: {NOTE: value})
    with pytest.raises(DataError):
        _steps(page, row, token, "refused")


def test_a_page_that_goes_away_ends_an_action_that_waits(page: Page, token: str) -> None:
    ended: list[bool] = []

    async def wait(visit: Visit, form: object) -> AsyncIterator[int]:
        try:
            while True:
                yield 1
        finally:
            ended.append(True)

    async def scenario() -> None:
        row = _row(wait, progress=lambda visit, value: {NOTE: value})
        updates: Any = carry_out_waiting(page, row, TOKEN, {TOKEN: token, BOX: ""}, _request())
        assert await anext(updates) == {NOTE: 1}
        await updates.aclose()

    asyncio.run(scenario())
    assert ended == [True]


def test_each_row_becomes_an_event_of_its_kind_which_is_followed_or_not(page: Page) -> None:
    with gr.Blocks() as blocks:
        token, box, button, panel = gr.BrowserState(""), gr.Textbox(), gr.Button(), InUse()
        panel.component.render()
        reads: Reads[Any] = Reads((box,), lambda sent: sent.values[box])
        Wiring(page, token, watched=((panel,),)).connect(
            [
                Row(event=button.click, action=_use, reads=reads, shows=(panel,)),
                Row(event=button.click, action=_use_in_steps, is_followed=False),
                Row(event=button.click, action=_use_in_time, is_followed=False),
            ]
        )
    plain, followed, stepwise, waiting = blocks.fns.values()
    assert [each.name for each in (plain, followed, stepwise, waiting)] == [
        "_use",
        "follow",
        "_use_in_steps",
        "_use_in_time",
    ]
    assert set(plain.inputs) == {token, box}
    assert plain.outputs == followed.outputs == [panel.component]
    assert inspect.isgeneratorfunction(stepwise.fn)
    assert inspect.isasyncgenfunction(waiting.fn)
    assert not inspect.isgeneratorfunction(plain.fn)
    assert {each.api_visibility for each in blocks.fns.values()} == {"private"}


def _open(page: Page, panels: tuple[InUse, ...], sent: object) -> Update:
    def greeting(visit: Visit) -> Update:
        return {NOTE: visit.owner}

    return open_page(page, panels, TOKEN, greeting, {TOKEN: sent}, _request())


def test_the_page_opens_as_its_visitor_left_it(page: Page, token: str) -> None:
    panel = InUse()
    page.visit(token).keep(dataset_id="d")
    update = _open(page, (panel,), token)
    assert update == {TOKEN: token, NOTE: owner_of(token), panel.component: "d"}
    visit = page.visit(token, "tab")
    assert page.tabs.show_changed(visit, [panel]) == {}, "the watcher need not draw it again"


@pytest.mark.parametrize("sent", ["", None, "guess", 7])
def test_whoever_comes_without_a_token_gets_one_of_their_own(page: Page, sent: object) -> None:
    tokens = [_open(page, (InUse(),), sent)[TOKEN] for _ in range(2)]
    assert all(is_token(token) for token in tokens)
    assert tokens[0] != tokens[1]


def test_what_is_pressed_while_the_page_opens_is_shown(page: Page, token: str) -> None:
    class Pressed(InUse):
        """Something is pressed, once, while this is drawn."""

        def render(self, visit: Visit) -> Update:
            update = super().render(visit)
            if visit.state.dataset_id is None:
                page.visit(token).keep(dataset_id="pressed")
            return update

    panel = Pressed()
    assert _open(page, (panel,), token)[panel.component] == "pressed"
    assert page.tabs.show_changed(page.visit(token, "tab"), [panel]) == {}


class Tab:
    """An open page whose watcher tells it what is new."""

    def __init__(self, page: Page, panels: Panels, token: str, name: str = "tab") -> None:
        values = {TOKEN: token}
        self._updates: Any = follow(page, watched(panels), TOKEN, values, _request(name))
        self.shown: dict[Any, Any] = {}

    async def update(self) -> Update:
        """What is drawn next."""
        drawn: Update = await asyncio.wait_for(anext(self._updates), PATIENCE_SECONDS)
        self.shown.update(drawn)
        return drawn

    async def until(self, holds: Callable[[dict[Any, Any]], bool]) -> None:
        """Draw what comes until this holds for what is shown."""
        while not self.shown or not holds(self.shown):
            await self.update()

    async def ends(self) -> bool:
        """Whether the watcher ends instead of drawing more."""
        try:
            while not await self.update():
                pass
        except StopAsyncIteration:
            return True
        return False

    async def close(self) -> None:
        await self._updates.aclose()


@pytest.fixture
def run_id(page: Page, token: str, owner: str, dataset: Dataset, steps: StepTraining) -> str:
    """A training of the visitor, waiting for its first step."""
    run_id = page.workspace.trainings.start(owner, dataset, TrainConfig())
    page.visit(token).keep(run_id=run_id)
    return run_id


@pytest.mark.usefixtures("run_id")
def test_a_tabs_later_watcher_ends_the_earlier_one(page: Page, panels: Panels, token: str) -> None:
    async def scenario() -> None:
        first, second = Tab(page, panels, token), Tab(page, panels, token)
        await first.until(lambda shown: panels.trying.predictions in shown)
        page.tabs.forget(page.visit(token, "tab"))
        await second.update()
        assert await first.ends()
        assert len(page.tabs) == 1
        await second.close()
        assert len(page.tabs) == 0

    asyncio.run(scenario())


@pytest.mark.usefixtures("run_id")
def test_the_watchers_of_other_tabs_and_visitors_go_on(
    page: Page, panels: Panels, token: str, steps: StepTraining
) -> None:
    view = panels.training.run_view

    async def scenario() -> None:
        first, other = Tab(page, panels, token), Tab(page, panels, token, "other")
        for tab in (first, other):
            await tab.until(lambda shown: panels.trying.predictions in shown)
        stranger = Tab(page, panels, new_visitor())
        assert (await stranger.update())[view].state == "empty"
        steps.step()
        for tab in (first, other):
            await tab.until(lambda shown: len(shown[view].epochs.train) == 1)
            await tab.close()
        await stranger.close()

    asyncio.run(scenario())


def _visible(panels: Panels, shown: dict[Any, Any]) -> set[str]:
    """The buttons that the page shows."""
    training = panels.training
    buttons = (training.train, training.stop, training.resume, training.fine_tune)
    return {button.elem_id for button in buttons if shown[button]["visible"]}


@pytest.mark.usefixtures("run_id")
def test_a_run_is_followed_to_its_end_and_no_longer(
    page: Page, panels: Panels, token: str, steps: StepTraining
) -> None:
    view = panels.training.run_view

    async def scenario() -> None:
        tab = Tab(page, panels, token)
        await tab.update()
        assert _visible(panels, tab.shown) == {"stop"}
        steps.step(2)
        await tab.until(lambda shown: len(shown[view].epochs.train) == 2)
        steps.finish()
        await tab.until(lambda shown: shown[view].state == "finished")
        assert tab.shown[view].epochs.train == (1.0, 0.5)
        assert _visible(panels, tab.shown) == {"train", "fine-tune"}
        assert "held-out pictures are right" in str(
            [tab.shown[component] for component in panels.results.outputs]
        )
        while not await tab.ends():
            assert tab.shown
        assert len(page.tabs) == 0

    asyncio.run(scenario())


@pytest.mark.usefixtures("run_id")
def test_an_epoch_draws_the_panels_that_it_changes_and_no_other(
    page: Page, panels: Panels, token: str, steps: StepTraining
) -> None:
    view = panels.training.run_view

    async def scenario() -> None:
        tab = Tab(page, panels, token)
        await tab.until(lambda shown: panels.trying.predictions in shown)
        assert panels.race.race in tab.shown
        tab.shown.clear()
        steps.step()
        await tab.until(lambda shown: view in shown and shown[view].epochs.train)
        assert panels.ladder.ladder in tab.shown, "how far the backbone has moved"
        still = (panels.compare, panels.race, panels.mistakes, panels.rates)
        assert not set(tab.shown) & {each for panel in still for each in panel.outputs}
        await tab.close()

    asyncio.run(scenario())


@pytest.mark.usefixtures("run_id")
def test_a_tab_that_somebody_looks_at_again_is_drawn_anew(
    page: Page, panels: Panels, token: str
) -> None:
    async def scenario() -> None:
        first = Tab(page, panels, token)
        await first.until(lambda shown: panels.trying.predictions in shown)
        page.tabs.forget(page.visit(token, "tab"))
        second = Tab(page, panels, token)
        await second.until(lambda shown: panels.trying.predictions in shown)
        assert set(second.shown) == set(first.shown)
        await first.close()
        await second.close()

    asyncio.run(scenario())


@pytest.mark.usefixtures("run_id")
def test_a_run_is_followed_though_the_chosen_backbone_cannot_answer_yet(
    page: Page, panels: Panels, token: str, owner: str, steps: StepTraining
) -> None:
    tried = page.workspace.visitors.prepare([("a.jpg", jpeg())])
    page.workspace.visitors.keep_test_pictures(owner, tried)
    page.visit(token).keep(config=TrainConfig(backbone="resnet18"))  # not downloaded
    answers = panels.trying.predictions

    async def scenario() -> None:
        tab = Tab(page, panels, token)
        await tab.until(lambda shown: answers in shown)
        assert tab.shown[answers].empty == str(words.NO_WEIGHTS_TO_ANSWER)
        steps.step()
        await tab.until(lambda shown: bool(shown[answers].pictures))
        assert tab.shown[panels.training.run_view].epochs.train
        assert tab.shown[answers].pictures[0].classes
        await tab.close()

    asyncio.run(scenario())


def test_without_anything_under_way_the_watcher_draws_once_and_ends(
    page: Page, panels: Panels, token: str
) -> None:
    async def scenario() -> None:
        tab = Tab(page, panels, token)
        await tab.until(lambda shown: panels.trying.predictions in shown)
        assert await tab.ends()
        again = Tab(page, panels, token)
        assert await again.ends(), "the tab has it all"

    asyncio.run(scenario())
