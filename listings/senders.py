"""Where a request comes from, as far as that tells senders apart who have no account."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from django.conf import settings as site

OF_ONE_HOME = 64  # bits: a household is given a network of IPv6 addresses, and changes among them at will


def address(meta: Mapping[str, Any]) -> str:
    """The sender's IPv4 address, or their IPv6 network. With HTTPS a proxy of ours stands in front, and what it heard
    from is the last of X-Forwarded-For; those before it are whatever the sender wrote. Without, nothing sets that
    header but the sender, and it is not read."""
    near = str(meta.get("REMOTE_ADDR", ""))
    if site.HTTPS:
        near = str(meta.get("HTTP_X_FORWARDED_FOR", "")).rpartition(",")[2].strip() or near
    try:
        found = ipaddress.ip_address(near)
    except ValueError:
        return near[:100]
    if found.version == 4:
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found.packed, OF_ONE_HOME), strict=False))
