"""Audit reports with their proof inside. May import: slices up to gate.

`subtree`, `offline` and `verify_cli` need neither Django nor a database: auditors run them.
"""
