"""Figures about figures: how sure an accuracy is."""

from tlapp.training.interval import wilson_interval

__all__ = ["wilson_interval"]
