"""The one answer to "may this person do that here?". Knows nouns as sets of ids. May import: people, regions, journal, config.portal."""

from stewardship.access.asking import allowed_to as allowed_to
from stewardship.access.asking import require as require
