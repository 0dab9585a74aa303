"""The rooms, kept in one folder and shared by page, API and command line."""

from tlapp.workspace.downloads import DownloadState
from tlapp.workspace.estimates import Costs
from tlapp.workspace.live import LiveRun, Phase
from tlapp.workspace.shelf import CardView
from tlapp.workspace.trying import TryResult
from tlapp.workspace.visitors import VisitorState, is_token, new_visitor, owner_of
from tlapp.workspace.workspace import Workspace

__all__ = [
    "CardView",
    "Costs",
    "DownloadState",
    "LiveRun",
    "Phase",
    "TryResult",
    "VisitorState",
    "Workspace",
    "is_token",
    "new_visitor",
    "owner_of",
]
