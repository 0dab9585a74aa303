"""What the page shows of a visitor's state."""

from tlapp.ui.visit import Visit
from tlapp.workspace import VisitorState, Workspace


def shown_state(workspace: Workspace, owner: str) -> VisitorState:
    """The visitor's state; ids of what is gone, damaged or somebody else's are None."""
    visit = Visit(workspace, owner)
    dataset, pending, run = visit.accepted_dataset, visit.pending_dataset, visit.run
    return VisitorState(
        dataset_id=None if dataset is None else dataset.dataset_id,
        pending_dataset_id=None if pending is None else pending.dataset_id,
        run_id=None if run is None else run.record.run_id,
        config=visit.state.config,
    )
