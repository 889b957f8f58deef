"""Gaps in accountability, each with an owner. May import: slices up to actions."""
