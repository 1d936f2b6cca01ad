"""Allow connections to public addresses only, unless a trait allows others.

The address that is checked is the one that is connected to: names are resolved once, so that a second
reply of a name server cannot lead elsewhere.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

from .interfaces import SourceUnreadable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
#: IPv6 addresses that map to public IPv4 ones, in IPv6-only networks
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
#: addresses that seem public but lead to services of a cloud, to relays or nowhere. Listed here because
#: Python's list of special addresses differs between versions and does not cover clouds.
_REFUSED_NETWORKS = tuple(
    ipaddress.ip_network(network)
    for network in (
        "168.63.129.16/32",  # Azure's platform: DNS, DHCP, health, the agent's credentials
        "192.0.0.0/24",  # protocol assignments; 192.0.0.192 was Oracle's metadata service
        "169.254.0.0/16",  # link-local: the metadata services of AWS, Azure, Google and others
        "100.64.0.0/10",  # carrier-grade NAT; 100.100.100.200 is Alibaba's metadata service
        "192.88.99.0/24",  # relays of 6to4
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # relays of multicast
        "192.175.48.0/24",  # AS112
        "192.0.2.0/24",  # documentation
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "198.18.0.0/15",  # benchmarks
        "::/96",  # IPv4-compatible, deprecated
        "::ffff:0:0:0/96",  # IPv4, translated
        "64:ff9b:1::/48",  # local-use NAT64
        "100::/64",  # discarded
        "100:0:0:1::/64",  # discarded
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: leads to an IPv4 address that the sender chooses
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
        "fc00::/7",  # unique local; fd00:ec2::254 is Amazon's metadata service
        "fec0::/10",  # site-local, deprecated
    )
)


class AddressRefused(OSError):
    """The address is not public."""


def is_public(text: str) -> bool:
    """Return whether an address, and every IPv4 address embedded in it, is public."""
    try:
        address = ipaddress.ip_address(text.split("%", 1)[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            address = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        else:
            address = address.ipv4_mapped or address
    return all(_is_public(each) for each in (address, *_embedded_ipv4(address)))


def _is_public(address: Address) -> bool:
    if any(
        address.version == network.version and address in network for network in _REFUSED_NETWORKS
    ):
        return False
    return address.is_global and not (
        address.is_multicast
        or address.is_reserved
        or address.is_unspecified
        or address.is_loopback
        or address.is_link_local
        or getattr(address, "is_site_local", False)
    )


def _embedded_ipv4(address: Address) -> list[Address]:
    """Return the IPv4 addresses embedded in an IPv6 one, to which a gateway may lead."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    interface = int(address) & (1 << 64) - 1
    # ISATAP: 0000:5efe or 0200:5efe before the IPv4 address
    isatap = (interface >> 32) & 0xFDFF_FFFF == 0x0000_5EFE
    return [
        *filter(None, [address.sixtofour]),
        *(address.teredo or ()),
        *([ipaddress.IPv4Address(interface & 0xFFFF_FFFF)] if isatap else ()),
    ]


def private_address_error(host: str) -> SourceUnreadable:
    """Return the error for an address that is not public."""
    return SourceUnreadable(
        f"The host {host} is on a private or local network; data sources there are not read. "
        "The administrator of the server can allow them with connector_allow_private."
    )


def resolve(host: str, port: int, *, allow_private: bool) -> str:
    """Return the address to connect to.

    Raises
    ------
    SourceUnreadable
        When the name has no address, or one of them is not public and only public ones are allowed.
    """
    try:
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise SourceUnreadable(f"There is no host {host}: its name has no address.") from None
    addresses = [str(info[4][0]) for info in infos]
    if not allow_private and not all(is_public(address) for address in addresses):
        raise private_address_error(host)
    return addresses[0]


def checked_socket(info: tuple[Any, ...], *, allow_private: bool) -> socket.socket:
    """Return a socket for one address as `getaddrinfo` returns it; aiohttp connects it to that address.

    Raises
    ------
    AddressRefused
        When the address is not public and only public ones are allowed.
    """
    family, kind, protocol, _, address = info
    if not (allow_private or is_public(str(address[0]))):
        raise AddressRefused("not a public address")
    new_socket = socket.socket(family, kind, protocol)
    new_socket.setblocking(False)
    return new_socket
