"""Published counts and bandwidths of networks, with document, place and tolerance."""

import pytest

from nvscale.formulas import topology

FARES = "Al-Fares, Loukissas, Vahdat, SIGCOMM 2008: switches of 48 ports"
DEEPSEEK = "Zhao et al., Insights into DeepSeek-V3, ISCA 2025, arXiv 2505.09343, table 3 (switches of 64 ports)"
SUPERPOD = "NVIDIA DGX SuperPOD reference architecture B200, table of larger deployments (switches of 64 ports, 8 rails)"
KIM = "Kim, Dally, Scott, Abts, ISCA 2008"
tree, rails = topology.fat_tree_switches, topology.rail_optimised_switches


def leaves_of_rails(chips):
    return 8.0 * topology.fat_tree_leaf_switches(chips / 8.0, 64.0)


def links_between_switches(hosts, levels):
    return topology.fat_tree_links(hosts, levels) - hosts


ROWS = [
    # id, document and place, value, expected, relative tolerance
    ("fat-tree-48-hosts", FARES, topology.fat_tree_hosts(48.0, 3.0), 27_648, 0.0),
    ("fat-tree-48-switches", FARES + "; 5k²/4", tree(27_648.0, 48.0, 3.0), 2_880, 0.0),
    ("FT2-endpoints", DEEPSEEK, topology.fat_tree_hosts(64.0, 2.0), 2_048, 0.0),
    ("FT2-switches", DEEPSEEK, tree(2_048.0, 64.0, 2.0), 96, 0.0),
    ("FT2-links", DEEPSEEK, links_between_switches(2_048.0, 2.0), 2_048, 0.0),
    ("MPFT-switches", DEEPSEEK + "; 8 planes, each for one rank of 8", rails(16_384.0, 8.0, 64.0, 2.0), 768, 0.0),
    ("MPFT-links", DEEPSEEK, links_between_switches(16_384.0, 2.0), 16_384, 0.0),
    ("FT3-endpoints", DEEPSEEK, topology.fat_tree_hosts(64.0, 3.0), 65_536, 0.0),
    ("FT3-switches", DEEPSEEK, tree(65_536.0, 64.0, 3.0), 5_120, 0.0),
    ("FT3-links", DEEPSEEK, links_between_switches(65_536.0, 3.0), 131_072, 0.0),
    ("DF-endpoints", DEEPSEEK + "; 511 groups", topology.dragonfly_hosts(16.0, 32.0, 511.0), 261_632, 0.0),
    ("DF-links", DEEPSEEK + "; 511 groups", topology.dragonfly_links(511.0, 32.0, 16.0), 384_272, 0.0),
    ("dragonfly-256K", KIM + ": over 256K hosts with routers of 64 ports", topology.balanced_dragonfly_hosts(16.0), 262_656, 0.0),
    (
        "dragonfly-1K",
        KIM + ": evaluation with p = h = 4, a = 8",
        topology.dragonfly_hosts(4.0, 8.0, topology.dragonfly_groups(8.0, 4.0)),
        1_056,
        0.0,
    ),
    ("superpod-512-switches", SUPERPOD + ": 16 leaf, 8 spine", rails(512.0, 8.0, 64.0, 2.0), 16 + 8, 0.0),
    ("superpod-1024-leaves", SUPERPOD, leaves_of_rails(1024.0), 32, 0.0),
    ("superpod-1024-switches", SUPERPOD + ": 32 leaf, 16 spine", rails(1024.0, 8.0, 64.0, 2.0), 32 + 16, 0.0),
    ("superpod-2048-switches", SUPERPOD + ": 64 leaf, 32 spine", rails(2048.0, 8.0, 64.0, 2.0), 64 + 32, 0.0),
    ("superpod-4096-leaves", SUPERPOD, leaves_of_rails(4096.0), 128, 0.0),
    ("superpod-4096-switches", SUPERPOD + ": 128 leaf, 128 spine, 64 core", rails(4096.0, 8.0, 64.0, 3.0), 128 + 128 + 64, 0.0),
    ("superpod-16384-switches", SUPERPOD + ": 512 leaf, 512 spine, 256 core", rails(16_384.0, 8.0, 64.0, 3.0), 512 + 512 + 256, 0.0),
    ("superpod-16384-cables", SUPERPOD + ": three times 16384", topology.fat_tree_links(16_384.0, 3.0), 3 * 16_384, 0.0),
    (
        "tpu-v3-pod-bisection",
        "Google Cloud TPU v3 documentation: 6.4 TB/s for 1024 chips, 2D torus; four links of 100 GB/s, How To Scale Your Model, chapter 2",
        topology.torus_bisection_bandwidth(1024.0, 2.0, 4 * 100e9),
        6.4e12,
        1e-12,
    ),
    (
        "tpu-v4-pod-bisection-45",
        "Google Cloud TPU v4 documentation: 24 TB/s for 4096 chips; six links of 45 GB/s, How To Scale Your Model, chapter 2: 4 % below",
        topology.torus_bisection_bandwidth(4096.0, 3.0, 6 * 45e9),
        24e12,
        0.045,
    ),
    (
        "tpu-v4-pod-bisection-50",
        "Google Cloud TPU v4 documentation: 24 TB/s for 4096 chips; six links of 50 GB/s, Jouppi et al., ISCA 2023: 7 % above",
        topology.torus_bisection_bandwidth(4096.0, 3.0, 6 * 50e9),
        24e12,
        0.07,
    ),
]


@pytest.mark.parametrize(("source", "value", "expected", "tolerance"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_published_numbers(source, value, expected, tolerance):
    assert value == pytest.approx(expected, rel=tolerance), source


def test_superpod_leaves_one_port_per_chip_and_no_more_than_the_switches_have():
    for chips, levels in ((512.0, 2.0), (1024.0, 2.0), (4096.0, 3.0), (16_384.0, 3.0)):
        ports = topology.rail_optimised_switch_ports(chips, 8.0, levels)
        assert ports == 64.0 * rails(chips, 8.0, 64.0, levels), "full switches"
