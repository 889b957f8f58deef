"""Laws, standards and own policies as data: clauses, and where they apply from when. May import: roles and what is left of it."""
