"""The fit of the constants of serving to measured kernels and served requests, and what of it ships."""
