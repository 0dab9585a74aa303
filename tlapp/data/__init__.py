"""Labelled pictures: import, decode, check, split, preprocess."""
