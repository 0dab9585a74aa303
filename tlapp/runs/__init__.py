"""Runs: what one training did, kept on disk so that it outlives the process."""
