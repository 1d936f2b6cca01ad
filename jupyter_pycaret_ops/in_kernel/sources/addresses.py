"""Which addresses may be connected to: the public ones, unless a trait allows the others.

What is checked is the very address that is connected to, after its name was resolved and once only, so that
no second answer of a name server can lead elsewhere.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

from .contracts import SourceUnreadable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
#: IPv6 addresses that stand for public IPv4 ones, in networks that have no other
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class AddressRefused(OSError):
    """The address is not public."""


def is_public(text: str) -> bool:
    """Whether an address is one of the public internet, and every address that it carries is too."""
    try:
        address = ipaddress.ip_address(text.split("%", 1)[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            address = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        else:
            address = address.ipv4_mapped or address
    return all(_is_public(each) for each in (address, *_carried(address)))


def _is_public(address: Address) -> bool:
    return address.is_global and not (
        address.is_multicast
        or address.is_reserved
        or address.is_unspecified
        or address.is_loopback
        or address.is_link_local
        or getattr(address, "is_site_local", False)
    )


def _carried(address: Address) -> list[Address]:
    """IPv4 addresses within an IPv6 one, to which a gateway may lead."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    return [*filter(None, [address.sixtofour]), *(address.teredo or ())]


def refusal(host: str) -> SourceUnreadable:
    """What people are told of a refused address."""
    return SourceUnreadable(
        f"The host {host} is on a private or local network, and sources there are not read. "
        "Whoever runs the server can allow it with connector_allow_private."
    )


def resolve(host: str, port: int, *, allow_private: bool) -> str:
    """The address to connect to.

    Raises
    ------
    SourceUnreadable
        When the name has no address, or one of them is not public and only public ones are allowed.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise SourceUnreadable(f"There is no host {host}: its name has no address.") from None
    addresses = [str(item[4][0]) for item in found]
    if not allow_private and not all(is_public(address) for address in addresses):
        raise refusal(host)
    return addresses[0]


def guarded_socket(info: tuple[Any, ...], *, allow_private: bool) -> socket.socket:
    """A socket for one address as `getaddrinfo` tells it, for aiohttp, which connects it to that address.

    Raises
    ------
    AddressRefused
        When the address is not public and only public ones are allowed.
    """
    family, kind, protocol, _, address = info
    if not (allow_private or is_public(str(address[0]))):
        raise AddressRefused("not a public address")
    made = socket.socket(family, kind, protocol)
    made.setblocking(False)
    return made
