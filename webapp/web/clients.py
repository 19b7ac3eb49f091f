"""Clients: what a request tells of the browser and the place that it comes from, as far as people want to know it."""

import ipaddress
import re
from functools import lru_cache

from flask import request
from ua_parser import parse_os, parse_user_agent  # a table that others keep: there are thousands of names

# Some rules of that table take a name from the header as it is: no part of an address may get into a mail by it.
NOT_OF_A_NAME = re.compile(r"[^\w +/-]+", re.ASCII)
LONGEST_NAME = 40  # characters
LONGEST_USER_AGENT = 300  # characters that are looked at
NETWORK_BITS = {4: 24, 6: 48}  # what an access provider gives to somebody, or more: no single home


def browser() -> str:
    """The browser of this request in words, as “Firefox on Linux”; empty if it does not say."""
    return browser_in_words(request.user_agent.string[:LONGEST_USER_AGENT])


@lru_cache(maxsize=256)
def browser_in_words(user_agent: str) -> str:
    """What a User-Agent header says, as far as anybody knows: “Firefox on Linux”, “Firefox”, or nothing."""
    found, system = parse_user_agent(user_agent), parse_os(user_agent)
    names = [NOT_OF_A_NAME.sub(" ", part.family)[:LONGEST_NAME].strip() for part in (found, system) if part]
    return " on ".join(name for name in names if name)


def coarse_network() -> str:
    """The network that this request comes from, as 192.0.2.0/24 or 2001:db8:5::/48; empty if that is not known."""
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address
    return str(ipaddress.ip_network((address, NETWORK_BITS[address.version]), strict=False))
