"""Evaluation: a classifier + pictures -> predictions and honest figures."""
