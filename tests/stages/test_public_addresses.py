"""Only addresses of the Internet at large are contacted: none that IANA lists for a special purpose."""

import ipaddress

import pytest

from pipeline.stages.addresses import is_public

# Block, name and RFC as in the IANA IPv4 Special-Purpose Address Registry.
SPECIAL_V4 = [
    ("0.0.0.0/8", "This network", "RFC 791, 3.2"),
    ("0.0.0.0/32", "This host on this network", "RFC 1122, 3.2.1.3"),
    ("10.0.0.0/8", "Private-Use", "RFC 1918"),
    ("100.64.0.0/10", "Shared Address Space", "RFC 6598"),
    ("127.0.0.0/8", "Loopback", "RFC 1122, 3.2.1.3"),
    ("169.254.0.0/16", "Link Local", "RFC 3927"),
    ("172.16.0.0/12", "Private-Use", "RFC 1918"),
    ("192.0.0.0/24", "IETF Protocol Assignments", "RFC 6890, 2.1"),
    ("192.0.0.0/29", "IPv4 Service Continuity Prefix", "RFC 7335"),
    ("192.0.0.8/32", "IPv4 dummy address", "RFC 7600"),
    ("192.0.0.9/32", "Port Control Protocol Anycast", "RFC 7723"),
    ("192.0.0.10/32", "Traversal Using Relays around NAT Anycast", "RFC 8155"),
    ("192.0.0.170/32", "NAT64/DNS64 Discovery", "RFC 8880, RFC 7050"),
    ("192.0.0.171/32", "NAT64/DNS64 Discovery", "RFC 8880, RFC 7050"),
    ("192.0.2.0/24", "Documentation (TEST-NET-1)", "RFC 5737"),
    ("192.31.196.0/24", "AS112-v4", "RFC 7535"),
    ("192.52.193.0/24", "AMT", "RFC 7450"),
    ("192.88.99.0/24", "Deprecated (6to4 Relay Anycast)", "RFC 7526"),
    ("192.88.99.2/32", "6a44-relay anycast address", "RFC 6751"),
    ("192.168.0.0/16", "Private-Use", "RFC 1918"),
    ("192.175.48.0/24", "Direct Delegation AS112 Service", "RFC 7534"),
    ("198.18.0.0/15", "Benchmarking", "RFC 2544"),
    ("198.51.100.0/24", "Documentation (TEST-NET-2)", "RFC 5737"),
    ("203.0.113.0/24", "Documentation (TEST-NET-3)", "RFC 5737"),
    ("240.0.0.0/4", "Reserved", "RFC 1112, 4"),
    ("255.255.255.255/32", "Limited Broadcast", "RFC 8190, RFC 919"),
]
# The same of the IANA IPv6 Special-Purpose Address Registry.
SPECIAL_V6 = [
    ("::1/128", "Loopback Address", "RFC 4291"),
    ("::/128", "Unspecified Address", "RFC 4291"),
    ("::ffff:0:0/96", "IPv4-mapped Address", "RFC 4291"),
    ("64:ff9b::/96", "IPv4-IPv6 Translat.", "RFC 6052"),
    ("64:ff9b:1::/48", "IPv4-IPv6 Translat.", "RFC 8215"),
    ("100::/64", "Discard-Only Address Block", "RFC 6666"),
    ("100:0:0:1::/64", "Dummy IPv6 Prefix", "RFC 9780"),
    ("2001::/23", "IETF Protocol Assignments", "RFC 2928"),
    ("2001::/32", "TEREDO", "RFC 4380, RFC 8190"),
    ("2001:1::1/128", "Port Control Protocol Anycast", "RFC 7723"),
    ("2001:1::2/128", "Traversal Using Relays around NAT Anycast", "RFC 8155"),
    ("2001:1::3/128", "DNS-SD Service Registration Protocol Anycast", "RFC 9665"),
    ("2001:2::/48", "Benchmarking", "RFC 5180, RFC Errata 1752"),
    ("2001:3::/32", "AMT", "RFC 7450"),
    ("2001:4:112::/48", "AS112-v6", "RFC 7535"),
    ("2001:10::/28", "Deprecated (previously ORCHID)", "RFC 4843"),
    ("2001:20::/28", "ORCHIDv2", "RFC 7343"),
    ("2001:30::/28", "Drone Remote ID Protocol Entity Tags (DETs) Prefix", "RFC 9374"),
    ("2001:db8::/32", "Documentation", "RFC 3849"),
    ("2002::/16", "6to4", "RFC 3056"),
    ("2620:4f:8000::/48", "Direct Delegation AS112 Service", "RFC 7534"),
    ("3fff::/20", "Documentation", "RFC 9637"),
    ("5f00::/16", "Segment Routing (SRv6) SIDs", "RFC 9602"),
    ("fc00::/7", "Unique-Local", "RFC 4193, RFC 8190"),
    ("fe80::/10", "Link-Local Unicast", "RFC 4291"),
]
# Neither is unicast, so that the registries above do not name them; nor what the IPv6 address space leaves unassigned.
OUTSIDE_UNICAST = [
    ("224.0.0.0/4", "Multicast", "RFC 5771"),
    ("ff00::/8", "Multicast", "RFC 4291"),
    ("::/8", "IPv4-compatible and what else IETF reserves", "RFC 4291"),
    ("200::/7", "OSI NSAP-mapped, deprecated", "RFC 4048"),
    ("400::/6", "Reserved by IETF", "RFC 4291"),
    ("800::/5", "Reserved by IETF", "RFC 4291"),
    ("1000::/4", "Reserved by IETF", "RFC 4291"),
    ("4000::/3", "Reserved by IETF", "RFC 4291"),
    ("8000::/3", "Reserved by IETF", "RFC 4291"),
    ("e000::/4", "Reserved by IETF", "RFC 4291"),
    ("f000::/5", "Reserved by IETF", "RFC 4291"),
    ("fec0::/10", "Site-Local Unicast, deprecated", "RFC 3879"),
]


def probes(block: str) -> list[str]:
    """The ends of a block and three addresses between them, the last with 8.8.8.8 in its final bits."""
    network = ipaddress.ip_network(block)
    size = network.num_addresses
    at = {0, size - 1, size // 2, size // 3}
    if size > 2**32:
        at.add(0x08080808)
    return [str(network[index]) for index in sorted(at)]


@pytest.mark.parametrize(("block", "name", "rfc"), SPECIAL_V4 + SPECIAL_V6 + OUTSIDE_UNICAST)
def test_no_address_of_a_special_block_is_public(block: str, name: str, rfc: str) -> None:
    assert [address for address in probes(block) if is_public(address)] == [], f"{name} ({rfc})"


@pytest.mark.parametrize(
    "address",
    [
        "::127.0.0.1",
        "::ffff:0:7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::7f00:1",
        "64:ff9b:1::7f00:1",
        "2002:7f00:1::",
        "2001:0:7f00:1::80ff:fffe",
        "fec0::1",
        "fe80::1%eth0",
        "5f00::1",
        "3fff::1",
        "192.0.0.192",
        "192.88.99.1",
        "168.63.129.16",
        "169.254.169.254",
        "100.100.100.200",
        "fd00:ec2::254",
    ],
)
def test_addresses_of_the_neighbourhood_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "168.63.129.15",
        "168.63.129.17",
        "172.15.255.255",
        "172.32.0.0",
        "191.255.255.255",
        "192.0.1.0",
        "192.0.3.0",
        "192.88.98.255",
        "192.88.100.0",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2001:200::1",
        "2001:4860:4860::8888",
        "2003::1",
        "2606:4700::1111",
        "2620:4f:7fff::1",
        "2620:4f:8001::1",
        "2a00:1450:4001:80e::200e",
        "3ffe:ffff::1",
        "3fff:1000::1",
    ],
)
def test_what_lies_beside_the_special_blocks_is_public(address: str) -> None:
    assert is_public(address)
