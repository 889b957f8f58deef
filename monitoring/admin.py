"""Gathers every slice's admin module for Django's autodiscovery."""

from monitoring.alerts import admin as alerts
from monitoring.signals import admin as signals
from monitoring.thresholds import admin as thresholds
