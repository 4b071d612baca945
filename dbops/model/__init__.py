"""Frozen facts, changes and results. Nothing in here does anything."""
