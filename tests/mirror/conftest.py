"""Fixtures of every test of sources."""

from tests.mirror.sources import project, server, tarballs, upstream_git

__all__ = ["project", "server", "tarballs", "upstream_git"]
