"""Fitting laws that are sums of power terms: forms, exact Newton steps for many starts or resamples at once, and what it is worth."""
