"""Measured truth: rows of measurements, the efficiency constants fitted to them, and the scores of one by the other."""
