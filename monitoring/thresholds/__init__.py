"""Rules that judge a series, with regional overrides inside bounds. May import: signals."""
