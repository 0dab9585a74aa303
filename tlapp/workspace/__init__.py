"""The rooms, kept in one folder and shared by page, API and command line.

Whoever stands above imports from here, never from a file inside.
"""

from tlapp.workspace.cleanup import UploadFolder, open_uploads
from tlapp.workspace.estimates import Costs
from tlapp.workspace.experiments import MISTAKE, RATE_FINDER, Experiment, Experiments
from tlapp.workspace.models import CardView, DownloadState, Models
from tlapp.workspace.plan import (
    RACE,
    TRAINING,
    check_epochs,
    check_epochs_setting,
    check_same_pictures,
    free_name,
)
from tlapp.workspace.trainings import Trainings
from tlapp.workspace.visitors import (
    Changes,
    Unsubscribe,
    VisitorState,
    is_token,
    new_visitor,
    owner_of,
)
from tlapp.workspace.workspace import Owned, Workspace

__all__ = [
    "MISTAKE",
    "RACE",
    "RATE_FINDER",
    "TRAINING",
    "CardView",
    "Changes",
    "Costs",
    "DownloadState",
    "Experiment",
    "Experiments",
    "Models",
    "Owned",
    "Trainings",
    "Unsubscribe",
    "UploadFolder",
    "VisitorState",
    "Workspace",
    "check_epochs",
    "check_epochs_setting",
    "check_same_pictures",
    "free_name",
    "is_token",
    "new_visitor",
    "open_uploads",
    "owner_of",
]
