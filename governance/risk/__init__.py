"""Questionnaires that become a risk tier. May import: policies."""
