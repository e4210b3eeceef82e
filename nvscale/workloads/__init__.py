"""Pieces of work: what is computed, at which sizes, in which number format; no machine is in them."""

from nvscale.workloads.attention import Attention
from nvscale.workloads.gemm import Gemm
from nvscale.workloads.latent_attention import LatentAttention
from nvscale.workloads.mixture_of_experts import MixtureOfExperts

__all__ = ["Attention", "Gemm", "LatentAttention", "MixtureOfExperts"]
