"""Releases of an upstream, kept in one bare git repository each."""
