"""The discussion of any governed object, part of the record. May import: slices up to documents."""
