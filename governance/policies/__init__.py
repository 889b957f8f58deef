"""Versioned rules over facts, with a trace of each evaluation. May import: monitoring, stewardship."""
