"""The fit of the constants of training steps to measured rows, and what of it ships."""
