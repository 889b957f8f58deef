"""Who answers for what: roles, their rights, who holds them where; writes the grants. May import: inventory and what is left of it."""
