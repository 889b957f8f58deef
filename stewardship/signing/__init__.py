"""Signatures with fresh authentication on exactly the digest that was shown. May import: slices up to escalation."""
