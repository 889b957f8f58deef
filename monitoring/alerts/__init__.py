"""Episodes that ask for somebody: acknowledge, investigate, resolve. May import: signals, thresholds."""
