"""Estimators: pure functions from records to an `Estimate` tree."""
