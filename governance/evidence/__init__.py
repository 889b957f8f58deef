"""Artifacts that people and pipelines attach, read and checked. May import: slices up to risk."""
