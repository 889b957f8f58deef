"""What is governed: families, models, versions, deployments. May import: access, people, regions, journal, config.portal."""
