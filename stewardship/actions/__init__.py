"""Things somebody has to do by a date, closed with evidence. May import: slices up to threads."""
