"""Pieces of work: what is computed, at which sizes, in which number format; no machine is in them."""

from nvscale.workloads.gemm import Gemm

__all__ = ["Gemm"]
