"""What people may be allowed to see of the whole."""

from enum import StrEnum


class PortfolioRight(StrEnum):
    VIEW = "portfolio:portfolio:view"
