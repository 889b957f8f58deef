"""Second floor: what the models do. May import stewardship and config.portal."""
