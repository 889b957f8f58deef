"""Where things are governed: the region tree, its calendars, and the values each node sets. May import: journal, config.portal."""
