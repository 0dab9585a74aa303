"""What a press on the page does: plain functions of a visit and of what was filled in."""
