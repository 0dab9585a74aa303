"""Pretrained networks: cards, weights, loading, features, feature cache."""
