"""Who is called first, how long they have, who is next, and what happens at the end. May import: slices up to notices."""
