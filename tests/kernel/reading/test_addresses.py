"""Addresses: non-public ones are refused, in every notation, and after the name was resolved."""

from __future__ import annotations

import socket

import pytest

from jupyter_pycaret_ops.kernel.reading import SourceUnreadable
from jupyter_pycaret_ops.kernel.reading.addresses import (
    AddressRefused,
    checked_socket,
    is_public,
    resolve,
)

NOT_PUBLIC = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "224.0.0.1",
    "239.1.2.3",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd12::1",
    "fec0::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "2001:db8::1",
    "localhost",
    "",
    # clouds' own services
    "168.63.129.16",
    "192.0.0.192",
    "192.0.0.9",
    "100.100.100.200",
    "169.254.170.2",
    "fd00:ec2::254",
    "fd20:ce::254",
    # relays, documentation, nobody's
    "192.88.99.1",
    "192.31.196.1",
    "192.52.193.1",
    "192.175.48.1",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "100::1",
    "2001::1",
    "2001:20::1",
    "2620:4f:8000::1",
    "3fff::1",
    "5f00::1",
    "64:ff9b:1::808:808",
    # the same in other notations
    "::ffff:168.63.129.16",
    "::168.63.129.16",
    "::ffff:0:168.63.129.16",
    "::ffff:0:8.8.8.8",
    "64:ff9b::a83f:8110",
    "64:ff9b::192.0.0.192",
    "2002:a83f:8110::",
    "2002:808:808::",
    "2600:1f18::5efe:168.63.129.16",
    "2600:1f18::200:5efe:10.0.0.1",
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_non_public_address_is_refused(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("8.8.8.8", "52.95.110.1", "168.63.129.15", "192.88.98.1", "192.0.1.1"),
        *("2600:1f18::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2600:1f18::5efe:8.8.8.8"),
    ],
)
def test_public_address_is_accepted(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "2130706433", "0x7f.1", "::1"])
def test_host_name_is_checked_by_its_resolved_address(host: str) -> None:
    """Also the notations of old: one number, hexadecimal, parts left out."""
    with pytest.raises(SourceUnreadable, match="connector_allow_private"):
        resolve(host, 5432, allow_private=False)


def test_host_name_with_one_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, 1)) for a in ("8.8.8.8", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: both)
    with pytest.raises(SourceUnreadable, match="connector_allow_private"):
        resolve("twofold.example.org", 5432, allow_private=False)


def test_resolve_returns_the_checked_address() -> None:
    assert resolve("localhost", 5432, allow_private=True) in ("127.0.0.1", "::1")


def test_unresolvable_host_name_is_reported() -> None:
    with pytest.raises(SourceUnreadable, match=r"There is no host nowhere\.invalid"):
        resolve("nowhere.invalid", 1, allow_private=False)


@pytest.mark.parametrize("address", [("127.0.0.1", 80), ("169.254.169.254", 80)])
def test_no_socket_is_created_for_refused_address(address: tuple[str, int]) -> None:
    info = (socket.AF_INET, socket.SOCK_STREAM, 6, "", address)
    with pytest.raises(AddressRefused):
        checked_socket(info, allow_private=False)
    checked_socket(info, allow_private=True).close()
