"""Every page of this floor, in one list."""

from django.urls import URLPattern, path

from monitoring.alerts import pages as alerts
from monitoring.alerts import quarantine_pages as quarantine

urlpatterns: list[URLPattern] = [
    path("alerts/", alerts.AlertList.as_view(), name="alert_list"),
    path("alerts/<uuid:pk>/", alerts.AlertDetail.as_view(), name="alert_detail"),
    path("alerts/<uuid:pk>/acknowledge/", alerts.AlertAcknowledge.as_view(), name="alert_acknowledge"),
    path("alerts/<uuid:pk>/investigate/", alerts.AlertInvestigate.as_view(), name="alert_investigate"),
    path("alerts/<uuid:pk>/resolve/", alerts.AlertResolve.as_view(), name="alert_resolve"),
    path("quarantine/", quarantine.QuarantineList.as_view(), name="quarantine_list"),
    path("quarantine/<uuid:pk>/place/", quarantine.QuarantinePlace.as_view(), name="quarantine_place"),
    path("quarantine/<uuid:pk>/dismiss/", quarantine.QuarantineDismiss.as_view(), name="quarantine_dismiss"),
]
