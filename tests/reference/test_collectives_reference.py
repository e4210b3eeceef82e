"""Published times and bandwidths of collectives, with document, place and tolerance."""

import pytest

from nvscale.formulas import collectives

THAKUR = "Thakur, Rabenseifner, Gropp, IJHPCA 19(1), 2005 (no reduction term): 64 participants, 1 MB, 50 GB/s, 5 us"
BOOK = "Austin et al., How To Scale Your Model, 2025, chapter 3"
NCCL_TESTS = "NVIDIA nccl-tests, doc/PERFORMANCE.md, section Bandwidth, Summary"
BUS = collectives.all_reduce_bus_bandwidth
SHARD_BUS = collectives.all_gather_bus_bandwidth
MESH_BYTES = 2.0 * 2048 * 8192  # bfloat16[2048, 8192]
ARRAY_BYTES = 2.0 * 1024 * 4096  # bfloat16[1024, 4096]
ICI = 9e10  # two links of a TPU v4 ring, one way
ROWS = [
    # id, document and place, value, expected, relative tolerance
    ("A01-ring", THAKUR, collectives.ring_all_reduce_time(1e6, 64.0, 50e9, 5e-6), 669.375e-6, 1e-6),
    ("A01-rabenseifner", THAKUR, collectives.halving_doubling_all_reduce_time(1e6, 64.0, 50e9, 5e-6), 99.375e-6, 1e-6),
    ("A01-recursive-doubling", THAKUR, collectives.recursive_doubling_all_reduce_time(1e6, 64.0, 50e9, 5e-6), 150e-6, 1e-6),
    (
        "A02-in-network-72",
        "Algebra: a ring sends 2(n-1)/n S, in-network reduction S",
        collectives.ring_all_reduce_time(1e9, 72.0, 9e11, 0.0) / collectives.in_network_all_reduce_time(1e9, 72.0, 9e11, 0.0),
        1.97222,
        1e-5,
    ),
    (
        "A02-in-network-8",
        "Algebra: a ring sends 2(n-1)/n S, in-network reduction S",
        collectives.ring_all_reduce_time(1e9, 8.0, 4.5e11, 0.0) / collectives.in_network_all_reduce_time(1e9, 8.0, 4.5e11, 0.0),
        1.75,
        1e-5,
    ),
    ("nccl-tests-all-reduce-factor-2", NCCL_TESTS, BUS(1.0, 1.0, 2.0), 1.0, 1e-12),
    ("nccl-tests-all-reduce-factor-8", NCCL_TESTS, BUS(1.0, 1.0, 8.0), 2 * 7 / 8, 1e-12),
    ("nccl-tests-shard-factor-8", NCCL_TESTS + " (ReduceScatter, AllGather, AlltoAll)", SHARD_BUS(1.0, 1.0, 8.0), 7 / 8, 1e-12),
    (
        "nccl-tests-issue-212-h100",
        "NVIDIA/nccl-tests issue 212, maintainer 2024-05-06: about 480 GB/s of bus bandwidth is an algorithm bandwidth of about 275 GB/s",
        BUS(275e9, 1.0, 8.0),
        480e9,
        0.01,
    ),
    (
        "tpu-v5e-all-gather-on-a-line",
        f"{BOOK}, pop quiz 2: 4 chips without wrap-around, 3 hops of 8.4 MB at 45 GB/s: 560 us",
        collectives.ring_all_gather_time(MESH_BYTES, 4.0, 4.5e10, 0.0),
        560e-6,
        0.005,
    ),
    (
        "tpu-v4-all-gather-one-axis",
        f"{BOOK}, question 2.1: 23 us in the limit of many chips, so without (n-1)/n",
        collectives.torus_all_gather_time(ARRAY_BYTES / 4.0, 4.0, 1.0, ICI, 0.0) / (3 / 4),
        23e-6,
        0.02,
    ),
    (
        "tpu-v4-all-gather-two-axes",
        f"{BOOK}, question 2.2: 46 us in the limit of many chips, so without (n-1)/n",
        collectives.torus_all_gather_time(ARRAY_BYTES, 16.0, 2.0, 2.0 * ICI, 0.0) / (15 / 16),
        46e-6,
        0.02,
    ),
    (
        "tpu-v4-all-reduce-one-axis",
        f"{BOOK}, question 2.3: 190 us in the limit of many chips, so without (n-1)/n",
        collectives.torus_all_reduce_time(ARRAY_BYTES, 4.0, 1.0, ICI, 0.0) / (3 / 4),
        190e-6,
        0.02,
    ),
    (
        "tpu-v4-latency-bound-all-gather",
        f"{BOOK}, question 3: 256 bytes over 4 chips take two hops of 1 us",
        collectives.torus_all_gather_time(256.0, 4.0, 1.0, ICI, 1e-6),
        2e-6,
        0.005,
    ),
    (
        "tpu-v4-all-gather-two-axes-hops",
        f"{BOOK}, question 2.2: 4 us of latency for 4 x 4 chips at 1 us a hop",
        collectives.torus_all_gather_time(0.0, 16.0, 2.0, 2.0 * ICI, 1e-6),
        4e-6,
        1e-9,
    ),
    (
        "ring-all-to-all-quarter",
        f"{BOOK}, section AllToAll, footnote: on an even ring each device sends a quarter of all bytes",
        collectives.torus_all_to_all_time(1e6, 16.0, 1.0, ICI, 0.0),
        16e6 / 4 / ICI,
        1e-12,
    ),
    (
        "mpich-bruck",
        "MPICH, source of MPI_Alltoall: lg p alpha + (n/2) lg p beta",
        collectives.bruck_all_to_all_time(1e6, 64.0, 50e9, 5e-6),
        6 * 5e-6 + 0.5e6 * 6 / 50e9,
        1e-12,
    ),
    (
        "mpich-rabenseifner-with-gamma",
        "MPICH, source of MPI_Allreduce: 2 lg p alpha + 2 n (p-1)/p beta + n (p-1)/p gamma",
        collectives.halving_doubling_all_reduce_time(1e6, 8.0, 50e9, 5e-6, 1e-11),
        6 * 5e-6 + 2e6 * 7 / 8 / 50e9 + 1e6 * 7 / 8 * 1e-11,
        1e-12,
    ),
    (
        "mpich-scatter-ring-all-gather-broadcast",
        "MPICH, source of MPI_Bcast: (lg p + p - 1) alpha + 2 n (p-1)/p beta",
        collectives.scatter_all_gather_broadcast_time(1e6, 16.0, 50e9, 5e-6),
        19 * 5e-6 + 2e6 * 15 / 16 / 50e9,
        1e-12,
    ),
]


@pytest.mark.parametrize(("source", "value", "expected", "tolerance"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_published_numbers(source, value, expected, tolerance):
    assert value == pytest.approx(expected, rel=tolerance), source


def test_measured_bus_bandwidth_lies_between_the_link_and_the_in_network_bound():
    """NVIDIA/nccl-tests issue 212: 8 H100 with links of 450 GB/s reach about 480 GB/s with NVLink SHARP and about 370 GB/s by ring."""
    link, n, size = 450e9, 8.0, 8e9
    ring = BUS(size, collectives.ring_all_reduce_time(size, n, link, 0.0), n)
    in_network = BUS(size, collectives.in_network_all_reduce_time(size, n, link, 0.0), n)
    assert 370e9 < ring < 480e9 < in_network
