"""Ground floor: who answers for what, and the record of what they did. May import config.portal."""
