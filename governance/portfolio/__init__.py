"""Pages over several floors: inbox, cockpit, portfolio, palette. May import: everything below."""
