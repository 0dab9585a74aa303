"""Training: features or pictures + config -> events -> a trained classifier."""
