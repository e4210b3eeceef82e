"""Hosts, switches, ports, links and transceivers of a network."""

from nvscale.ops import ceil, floor, log, maximum
from nvscale.unit_types import Count, Ratio, Share

__all__ = [
    "balanced_dragonfly_hosts",
    "dragonfly_groups",
    "dragonfly_hosts",
    "dragonfly_links",
    "dragonfly_router_radix",
    "fat_tree_hosts",
    "fat_tree_leaf_switches",
    "fat_tree_levels",
    "fat_tree_links",
    "fat_tree_switch_ports",
    "fat_tree_switches",
    "full_mesh_links",
    "optical_transceivers",
    "rail_optimised_switch_ports",
    "rail_optimised_switches",
    "torus_links",
]


def torus_links(participants: Count, dimensions: Count) -> Count:
    r"""Links of a torus.

    $$N = n\,d$$

    Parameters
    ----------
    participants : 1, broadcast
        Chips n.
    dimensions : 1, broadcast
        Dimensions d.

    Returns
    -------
    1, broadcast
        Links, each of both directions.

    Assumptions
    -----------
    Sides above 2 and wrap-around links in every dimension.

    References
    ----------
    Derivation: each chip ends 2d links, each link has two ends.

    Examples
    --------
    >>> torus_links(4096.0, 3.0)
    12288.0
    """
    return participants * dimensions


def full_mesh_links(participants: Count) -> Ratio:
    r"""Links of a full mesh.

    $$N = \frac{n(n-1)}{2}$$

    Parameters
    ----------
    participants : 1, broadcast
        Chips n.

    Returns
    -------
    1, broadcast
        Links, each of both directions.

    Assumptions
    -----------
    One link for each pair.

    References
    ----------
    Derivation: number of pairs.

    Examples
    --------
    >>> full_mesh_links(8.0)
    28.0
    """
    return participants * (participants - 1.0) / 2.0


def fat_tree_hosts(radix: Count, levels: Count, oversubscription: Ratio = 1.0) -> Count:
    r"""Most hosts that a fat tree of equal switches can join.

    $$n = 2\left(\frac{k}{2}\right)^{L} \frac{2s}{1+s}$$

    Parameters
    ----------
    radix : 1, broadcast
        Ports of a switch, above 2.
    levels : 1, broadcast
        Levels of switches.
    oversubscription : 1, broadcast
        Bandwidth of the ports toward hosts over that of the uplinks of a leaf switch, at least 1.

    Returns
    -------
    1, broadcast
        Host ports.

    Assumptions
    -----------
    A folded Clos network of equal switches and links; oversubscribed at the leaf switches only, full bisection above.
    k²/2 with two levels, k³/4 with three, at full bisection; ports are not rounded.

    References
    ----------
    Al-Fares, Loukissas, Vahdat, "A Scalable, Commodity Data Center Network Architecture", SIGCOMM 2008, section 2.2.

    Examples
    --------
    Switches of 48 ports in three levels.

    >>> fat_tree_hosts(48.0, 3.0)
    27648.0
    """
    return 2.0 * (radix / 2.0) ** levels * 2.0 * oversubscription / (1.0 + oversubscription)


def fat_tree_levels(hosts: Count, radix: Count) -> Count:
    r"""Levels of switches that a fat tree of full bisection needs for its hosts.

    $$L = \left\lceil \frac{\ln(n/2)}{\ln(k/2)} \right\rceil$$

    Parameters
    ----------
    hosts : 1, broadcast
        Network ports of hosts (chips) to join.
    radix : 1, broadcast
        Ports of a switch, above 2.

    Returns
    -------
    1, broadcast
        Levels.

    Assumptions
    -----------
    A folded Clos network of equal switches and links; oversubscribed at the leaf switches only, full bisection above.
    At least 1. A fat tree that is full to the last host is not pushed one level up by rounding.

    References
    ----------
    Derivation: smallest L with 2 (k/2)^L ≥ n, see `fat_tree_hosts`.

    Examples
    --------
    >>> fat_tree_levels(2048.0, 64.0), fat_tree_levels(2049.0, 64.0)
    (2.0, 3.0)
    """
    return maximum(1.0, ceil(log(hosts / 2.0) / log(radix / 2.0) - 1e-9))


def fat_tree_leaf_switches(hosts: Count, radix: Count, oversubscription: Ratio = 1.0) -> Count:
    r"""Leaf switches of a fat tree for given hosts.

    $$N = \left\lceil \frac{n}{\left\lfloor k s/(1+s) \right\rfloor} \right\rceil$$

    Parameters
    ----------
    hosts : 1, broadcast
        Network ports of hosts (chips) to join.
    radix : 1, broadcast
        Ports of a switch, above 2.
    oversubscription : 1, broadcast
        Bandwidth of the ports toward hosts over that of the uplinks of a leaf switch, at least 1.

    Returns
    -------
    1, broadcast
        Switches.

    Assumptions
    -----------
    Of k ports, the whole number nearest below k s/(1+s) faces hosts, the rest faces up; two levels or more.

    References
    ----------
    Derivation: downward over upward ports is s.

    Examples
    --------
    1,016 hosts on switches of 64 ports.

    >>> fat_tree_leaf_switches(1016.0, 64.0)
    32.0
    """
    return ceil(hosts / floor(radix * oversubscription / (1.0 + oversubscription) + 1e-9))


def fat_tree_switches(hosts: Count, radix: Count, levels: Count, oversubscription: Ratio = 1.0) -> Count:
    r"""Switches of all levels of a fat tree for given hosts.

    $$N = N_{leaf} + (L-2)\left\lceil \frac{2n}{s k} \right\rceil + \left\lceil \frac{n}{s k} \right\rceil$$

    Parameters
    ----------
    hosts : 1, broadcast
        Network ports of hosts (chips) to join.
    radix : 1, broadcast
        Ports of a switch, above 2.
    levels : 1, broadcast
        Levels of switches.
    oversubscription : 1, broadcast
        Bandwidth of the ports toward hosts over that of the uplinks of a leaf switch, at least 1.

    Returns
    -------
    1, broadcast
        Switches.

    Assumptions
    -----------
    A folded Clos network of equal switches and links; oversubscribed at the leaf switches only, full bisection above.
    Two levels or more, or one switch that joins all hosts; partly filled switches are spread over all pods.

    References
    ----------
    Al-Fares, Loukissas, Vahdat, "A Scalable, Commodity Data Center Network Architecture", SIGCOMM 2008, section 2.2
    (5k²/4 when full with three levels; 3k/2 with two).

    Examples
    --------
    65,536 hosts on switches of 64 ports.

    >>> fat_tree_switches(65536.0, 64.0, 3.0)
    5120.0
    """
    uplinks = hosts / oversubscription
    middle = (levels - 2.0) * ceil(2.0 * uplinks / radix)
    return fat_tree_leaf_switches(hosts, radix, oversubscription) + middle + ceil(uplinks / radix)


def fat_tree_links(hosts: Count, levels: Count, oversubscription: Ratio = 1.0) -> Count:
    r"""Links of a fat tree for given hosts, those of the hosts included.

    $$N = n + (L-1)\,\frac{n}{s}$$

    Parameters
    ----------
    hosts : 1, broadcast
        Network ports of hosts (chips) to join.
    levels : 1, broadcast
        Levels of switches.
    oversubscription : 1, broadcast
        Bandwidth of the ports toward hosts over that of the uplinks of a leaf switch, at least 1.

    Returns
    -------
    1, broadcast
        Links, each of both directions.

    Assumptions
    -----------
    A folded Clos network of equal switches and links; oversubscribed at the leaf switches only, full bisection above.
    Subtract n for the links between switches.

    References
    ----------
    Derivation: each boundary between levels carries n/s links of the speed of a host.

    Examples
    --------
    >>> fat_tree_links(2048.0, 2.0)
    4096.0
    """
    return hosts + (levels - 1.0) * hosts / oversubscription


def fat_tree_switch_ports(hosts: Count, levels: Count, oversubscription: Ratio = 1.0) -> Count:
    r"""Switch ports in use in a fat tree for given hosts.

    $$N = n + 2(L-1)\,\frac{n}{s}$$

    Parameters
    ----------
    hosts : 1, broadcast
        Network ports of hosts (chips) to join.
    levels : 1, broadcast
        Levels of switches.
    oversubscription : 1, broadcast
        Bandwidth of the ports toward hosts over that of the uplinks of a leaf switch, at least 1.

    Returns
    -------
    1, broadcast
        Ports.

    Assumptions
    -----------
    A folded Clos network of equal switches and links; oversubscribed at the leaf switches only, full bisection above.

    References
    ----------
    Derivation: a host link ends on one switch port, a link between switches on two.

    Examples
    --------
    >>> fat_tree_switch_ports(2048.0, 2.0)
    6144.0
    """
    return hosts + 2.0 * (levels - 1.0) * hosts / oversubscription


def rail_optimised_switches(chips: Count, domain_size: Count, radix: Count, levels: Count, oversubscription: Ratio = 1.0) -> Count:
    r"""Switches of a rail-optimised network: one fat tree for each rank inside the scale-up domains.

    $$N = g\,N_{tree}\!\left(\frac{n}{g}\right)$$

    Parameters
    ----------
    chips : 1, broadcast
        Chips n, one network port each.
    domain_size : 1, broadcast
        Chips g of a scale-up domain, which is the number of rails.
    radix : 1, broadcast
        Ports of a switch, above 2.
    levels : 1, broadcast
        Levels of switches.
    oversubscription : 1, broadcast
        Bandwidth of the ports toward hosts over that of the uplinks of a leaf switch, at least 1.

    Returns
    -------
    1, broadcast
        Switches of all rails.

    Assumptions
    -----------
    Rails are apart (a fat tree for each); data change rails inside the domain. Shared upper switches can save some roundings.

    References
    ----------
    Derivation: `fat_tree_switches` for n/g hosts, g times.

    Examples
    --------
    1,024 chips in domains of 8 on switches of 64 ports: 32 leaf and 16 spine switches.

    >>> rail_optimised_switches(1024.0, 8.0, 64.0, 2.0)
    48.0
    """
    return domain_size * fat_tree_switches(chips / domain_size, radix, levels, oversubscription)


def rail_optimised_switch_ports(chips: Count, domain_size: Count, levels: Count, oversubscription: Ratio = 1.0) -> Count:
    r"""Switch ports in use in a rail-optimised network.

    $$N = g\,N_{ports}\!\left(\frac{n}{g}\right)$$

    Parameters
    ----------
    chips : 1, broadcast
        Chips n, one network port each.
    domain_size : 1, broadcast
        Chips g of a scale-up domain, which is the number of rails.
    levels : 1, broadcast
        Levels of switches.
    oversubscription : 1, broadcast
        Bandwidth of the ports toward hosts over that of the uplinks of a leaf switch, at least 1.

    Returns
    -------
    1, broadcast
        Ports of all rails.

    Assumptions
    -----------
    As `rail_optimised_switches`; rails may need fewer levels than one network of all chips, and thus fewer ports.

    References
    ----------
    Derivation: `fat_tree_switch_ports` for n/g hosts, g times.

    Examples
    --------
    >>> rail_optimised_switch_ports(1024.0, 8.0, 2.0)
    3072.0
    """
    return domain_size * fat_tree_switch_ports(chips / domain_size, levels, oversubscription)


def optical_transceivers(links: Count, optical_share: Share = 1.0) -> Ratio:
    r"""Optical transceivers of a network.

    $$N = 2\,x\,N_{links}$$

    Parameters
    ----------
    links : 1, broadcast
        Links of the network.
    optical_share : 1, broadcast
        Share x of the links that is optical; the rest is copper.

    Returns
    -------
    1, broadcast
        Transceivers.

    Assumptions
    -----------
    One pluggable transceiver at each end of a link, of the speed of a link.

    References
    ----------
    Definition.

    Examples
    --------
    Host links of copper, uplinks optical, in a tree of two levels with 2,048 hosts.

    >>> optical_transceivers(4096.0, 0.5)
    4096.0
    """
    return 2.0 * links * optical_share


def dragonfly_groups(routers_per_group: Count, global_links_per_router: Count) -> Count:
    r"""Most groups of a dragonfly with one link between each pair of groups.

    $$g = a h + 1$$

    Parameters
    ----------
    routers_per_group : 1, broadcast
        Routers a of a group.
    global_links_per_router : 1, broadcast
        Links h of a router to other groups.

    Returns
    -------
    1, broadcast
        Groups.

    Assumptions
    -----------
    Every global link of a group leads to another group.

    References
    ----------
    Kim, Dally, Scott, Abts, "Technology-Driven, Highly-Scalable Dragonfly Topology", ISCA 2008, section 3.

    Examples
    --------
    >>> dragonfly_groups(8.0, 4.0)
    33.0
    """
    return routers_per_group * global_links_per_router + 1.0


def dragonfly_hosts(hosts_per_router: Count, routers_per_group: Count, groups: Count) -> Count:
    r"""Hosts of a dragonfly.

    $$n = p\,a\,g$$

    Parameters
    ----------
    hosts_per_router : 1, broadcast
        Hosts p of a router.
    routers_per_group : 1, broadcast
        Routers a of a group.
    groups : 1, broadcast
        Groups g.

    Returns
    -------
    1, broadcast
        Hosts.

    Assumptions
    -----------
    All groups are full; any two hosts are at most three router-to-router links apart.

    References
    ----------
    Kim, Dally, Scott, Abts, "Technology-Driven, Highly-Scalable Dragonfly Topology", ISCA 2008, section 3.

    Examples
    --------
    >>> dragonfly_hosts(4.0, 8.0, 33.0)
    1056.0
    """
    return hosts_per_router * routers_per_group * groups


def balanced_dragonfly_hosts(global_links_per_router: Count) -> Count:
    r"""Most hosts of a balanced dragonfly.

    $$n = 4h^4 + 2h^2$$

    Parameters
    ----------
    global_links_per_router : 1, broadcast
        Links h of a router to other groups.

    Returns
    -------
    1, broadcast
        Hosts.

    Assumptions
    -----------
    a = 2p = 2h routers a group, so that local and global links carry equal load; radix 4h - 1.

    References
    ----------
    Kim, Dally, Scott, Abts, "Technology-Driven, Highly-Scalable Dragonfly Topology", ISCA 2008, section 3;
    derivation: p a (a h + 1) with a = 2h and p = h.

    Examples
    --------
    >>> balanced_dragonfly_hosts(16.0)
    262656.0
    """
    return 4.0 * global_links_per_router**4 + 2.0 * global_links_per_router**2


def dragonfly_router_radix(hosts_per_router: Count, routers_per_group: Count, global_links_per_router: Count) -> Count:
    r"""Ports of a dragonfly router.

    $$k = p + (a - 1) + h$$

    Parameters
    ----------
    hosts_per_router : 1, broadcast
        Hosts p of a router.
    routers_per_group : 1, broadcast
        Routers a of a group.
    global_links_per_router : 1, broadcast
        Links h of a router to other groups.

    Returns
    -------
    1, broadcast
        Ports.

    Assumptions
    -----------
    Routers of a group are joined in a full mesh.

    References
    ----------
    Kim, Dally, Scott, Abts, "Technology-Driven, Highly-Scalable Dragonfly Topology", ISCA 2008, section 3.

    Examples
    --------
    >>> dragonfly_router_radix(16.0, 32.0, 16.0)
    63.0
    """
    return hosts_per_router + routers_per_group - 1.0 + global_links_per_router


def dragonfly_links(groups: Count, routers_per_group: Count, global_links_per_router: Count) -> Count:
    r"""Links between the routers of a dragonfly.

    $$N = g\,\frac{a(a-1)}{2} + \frac{g\,a\,h}{2}$$

    Parameters
    ----------
    groups : 1, broadcast
        Groups g.
    routers_per_group : 1, broadcast
        Routers a of a group.
    global_links_per_router : 1, broadcast
        Links h of a router to other groups.

    Returns
    -------
    1, broadcast
        Links, each of both directions.

    Assumptions
    -----------
    Routers of a group are joined in a full mesh; all global ports are in use.

    References
    ----------
    Derivation: pairs inside each group, and half of all global ports.

    Examples
    --------
    >>> dragonfly_links(511.0, 32.0, 16.0)
    384272.0
    """
    return groups * routers_per_group * (routers_per_group - 1.0 + global_links_per_router) / 2.0
