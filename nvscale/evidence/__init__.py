"""Evidence: histories of hardware, prices and benchmarks, and the claims that are held against them."""
