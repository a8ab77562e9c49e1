"""Where a request comes from, as far as it can be believed."""

import ipaddress
import re
from functools import lru_cache

from django.conf import settings

# As some balancers write them: 192.0.2.1:4711, [2001:db8::1]:4711, [2001:db8::1].
_WITH_PORT = re.compile(r"^(?:([\d.]+):\d+|\[(.*)\](?::\d+)?)$", re.ASCII)


def client_address(peer: str | None, forwarded_for: str | None) -> str:
    """The client's address for counting: IPv4 whole, IPv6 by its /64 (one household has them all).

    `forwarded_for` is written by whoever sends it, except for the last TRUSTED_PROXIES entries, which our own
    proxies added. So the entry that the first of our proxies saw is counted from the right.
    """
    candidate = peer or ""
    hops = [hop.strip() for hop in (forwarded_for or "").split(",") if hop.strip()]
    if settings.TRUSTED_PROXIES and len(hops) >= settings.TRUSTED_PROXIES:
        candidate = hops[-settings.TRUSTED_PROXIES]
    return _counted(candidate)


@lru_cache(maxsize=4096)
def _counted(candidate):
    try:
        address = ipaddress.ip_address(_WITH_PORT.sub(r"\1\2", candidate))
    except ValueError:
        return "unknown"
    if address.version == 6:
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False).network_address)
    return str(address)
