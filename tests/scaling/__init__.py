"""Scaling laws that come with nvscale, and fits of them."""
