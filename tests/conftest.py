"""Settings for all tests."""

from __future__ import annotations

import os

from hypothesis import settings

# No test asserts a time. On the build host a property is tried with the same inputs in every run,
# so that a change is judged by what it changed; elsewhere each run tries new ones.
settings.register_profile("everywhere", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "everywhere")
