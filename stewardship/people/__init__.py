"""Who people are: accounts, teams, absences, delegations, access tokens. May import: regions, journal, config.portal."""
