"""Many visitors at once: everybody gets their own classes, nobody's work is lost or mixed."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.pictures import class_folder, jpeg
from tests.workspace.conftest import PATIENCE_SECONDS, bring
from tlapp.training.config import TrainConfig
from tlapp.workspace import VisitorState, Workspace, new_visitor, owner_of

VISITORS = 6


def test_visitors_at_once_get_their_own_answers(workspace: Workspace, tmp_path: Path) -> None:
    def visit(number: int) -> tuple[str, set[str]]:
        owner = owner_of(new_visitor())
        classes = (f"dots {number}", f"stripes {number}")
        folder = class_folder(tmp_path / str(number), classes, per_class=4, first_seed=number)
        dataset = bring(workspace, owner, folder, str(number))
        run_id = workspace.trainings.start(owner, dataset, TrainConfig(epochs=20))
        state = VisitorState(dataset_id=dataset.dataset_id, run_id=run_id)
        workspace.visitors.change(owner, lambda _: state)
        tried = workspace.visitors.prepare([("a.jpg", jpeg(0, 900 + number))])
        while not workspace.trainings.wait(run_id, 0.01):
            workspace.of(owner).live(run_id)
            workspace.of(owner).runs()
        assert workspace.trainings.wait(run_id, PATIENCE_SECONDS)
        record = workspace.of(owner).run(run_id)
        assert (record.state, len(record.epochs)) == ("finished", 20), record.message
        assert workspace.of(owner).state() == state
        (answer,) = workspace.visitors.answers(tried, workspace.trainings.classifier(run_id))
        return str(number), {item.name for item in answer.ranked}

    with ThreadPoolExecutor(VISITORS) as pool:
        results = dict(pool.map(visit, range(VISITORS)))
    assert results == {
        str(number): {f"dots {number}", f"stripes {number}"} for number in range(VISITORS)
    }
