"""One outbox with retry for everything that tells a person something. May import: slices up to frameworks."""
