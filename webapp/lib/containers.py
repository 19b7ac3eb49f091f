"""Containers: whether this process is in one."""

import os

from webapp.lib.environment import Reader

MARKERS = ("/.dockerenv", "/run/.containerenv")  # what Docker and Podman put into their containers


def in_container(read: Reader) -> bool:
    """Whether this is a dyno or a container: from outside, only the ports that it publishes can be reached."""
    return any(read.text(name) for name in ("DYNO", "KUBERNETES_SERVICE_HOST")) or any(map(os.path.exists, MARKERS))
