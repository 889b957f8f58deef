"""Facts from monitoring services, in their own formats, made neutral. May import: stewardship."""
