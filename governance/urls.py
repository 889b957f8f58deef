"""Every page of this floor, in one list."""

from django.urls import URLPattern, path

from governance.audits import pages as audits
from governance.changes import pages as changes
from governance.gate import pages as gate
from governance.portfolio import pages as portfolio
from governance.portfolio import whole_pages as whole
from governance.risk import pages as risk

urlpatterns: list[URLPattern] = [
    path("", whole.InboxPage.as_view(), name="inbox"),
    path("portfolio/", whole.PortfolioPage.as_view(), name="portfolio"),
    path("models/mine/", portfolio.MyModels.as_view(), name="my_models"),
    path("models/<uuid:pk>/", portfolio.ModelPage.as_view(), name="model_detail"),
    path("models/<uuid:pk>/versions/new/", portfolio.RegisterVersion.as_view(), name="version_new"),
    path("versions/<uuid:pk>/", portfolio.VersionPage.as_view(), name="version_detail"),
    path("versions/<uuid:pk>/evidence/new/", portfolio.AttachEvidence.as_view(), name="evidence_new"),
    path("deployments/", whole.DeploymentList.as_view(), name="deployment_list"),
    path("verdicts/", whole.VerdictList.as_view(), name="verdict_list"),
    path("reports/", audits.ReportList.as_view(), name="report_list"),
    path("reports/<uuid:pk>/", audits.ReportDetail.as_view(), name="report_detail"),
    path("reports/<uuid:pk>/file/", audits.ReportFile.as_view(), name="report_file"),
    path("reports/<uuid:pk>/bundle/", audits.ReportBundle.as_view(), name="report_bundle"),
    path("reports/<uuid:pk>/cancel/", audits.ReportCancel.as_view(), name="report_cancel"),
    path("models/<uuid:pk>/report/", audits.ReportNew.as_view(), name="report_new"),
    path("changes/", changes.ChangeList.as_view(), name="change_list"),
    path("changes/<uuid:pk>/", changes.ChangeDetail.as_view(), name="change_detail"),
    path("changes/<uuid:pk>/edit/", changes.ChangeEdit.as_view(), name="change_edit"),
    path("changes/<uuid:pk>/submit/", changes.ChangeSubmit.as_view(), name="change_submit"),
    path("changes/<uuid:pk>/withdraw/", changes.ChangeWithdraw.as_view(), name="change_withdraw"),
    path("changes/<uuid:pk>/gate/", gate.GateLook.as_view(), name="change_gate"),
    path("models/<uuid:pk>/changes/new/", changes.ChangeNew.as_view(), name="change_new"),
    path("models/<uuid:pk>/risk/", risk.RiskAssess.as_view(), name="risk_assess"),
]
