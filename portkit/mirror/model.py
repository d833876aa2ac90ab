"""A mirrored release."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Release:
    """One release of an upstream, as it lies in the mirror.

    Attributes:
        upstream: name of the upstream.
        version: e.g. ``6.12.107``.
        commit: id of the release's commit in the mirror (no parent; a function of tree,
            version and date alone).
        tree: id of the tree of the subtree in use.
    """

    upstream: str
    version: str
    commit: str
    tree: str
