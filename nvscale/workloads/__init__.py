"""Pieces of work: what is computed, at which sizes, in which number format; no machine is in them."""

from nvscale.workloads.attention import Attention
from nvscale.workloads.collectives import Collective, ExpertExchange
from nvscale.workloads.gemm import Gemm
from nvscale.workloads.latent_attention import LatentAttention
from nvscale.workloads.mixture_of_experts import MixtureOfExperts
from nvscale.workloads.passes import Pass
from nvscale.workloads.training import Training

__all__ = ["Attention", "Collective", "ExpertExchange", "Gemm", "LatentAttention", "MixtureOfExperts", "Pass", "Training"]
