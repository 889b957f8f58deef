"""Every page of this floor, in one list."""

from django.urls import URLPattern, path

from stewardship.actions import pages as actions
from stewardship.coverage import pages as coverage
from stewardship.documents import pages as documents
from stewardship.dossiers import pages as dossiers
from stewardship.escalation import pages as escalation
from stewardship.inventory import pages as inventory
from stewardship.journal import urls as journal
from stewardship.notices import pages as notices
from stewardship.people import pages as people
from stewardship.threads import pages as threads

urlpatterns: list[URLPattern] = [
    path("models/", inventory.ModelList.as_view(), name="model_list"),
    path("models/new/", inventory.RegisterModel.as_view(), name="register_model"),
    path("families/<uuid:pk>/", inventory.FamilyPage.as_view(), name="family_detail"),
    path("me/", people.ProfilePage.as_view(), name="profile"),
    path("me/absences/new/", people.GoAway.as_view(), name="absence_new"),
    path("me/absences/<uuid:pk>/end/", people.ComeBack.as_view(), name="absence_end"),
    path("me/delegations/new/", people.NameStandIn.as_view(), name="delegation_new"),
    path("me/delegations/<uuid:pk>/end/", people.TakeBack.as_view(), name="delegation_end"),
    path("me/tokens/new/", people.IssueToken.as_view(), name="token_new"),
    path("me/tokens/<uuid:pk>/revoke/", people.RevokeToken.as_view(), name="token_revoke"),
    *journal.urlpatterns,
    path("files/<uuid:pk>/", documents.BlobDownload.as_view(), name="file_download"),
    path("notices/", notices.NoticeList.as_view(), name="notice_list"),
    path("notices/<uuid:pk>/", notices.NoticeOpen.as_view(), name="notice_open"),
    path("escalations/", escalation.RunList.as_view(), name="run_list"),
    path("escalations/<uuid:pk>/", escalation.RunDetail.as_view(), name="run_detail"),
    path("escalations/<uuid:pk>/acknowledge/", escalation.RunAcknowledge.as_view(), name="run_acknowledge"),
    path("escalations/<uuid:pk>/call/", escalation.RunEscalate.as_view(), name="run_escalate"),
    path("escalations/<uuid:pk>/stop/", escalation.RunStop.as_view(), name="run_stop"),
    path("comments/", threads.CommentAdd.as_view(), name="comment_add"),
    path("comments/settle/", threads.ThreadSettle.as_view(), name="thread_settle"),
    path("actions/", actions.ActionList.as_view(), name="action_list"),
    path("actions/new/", actions.ActionNew.as_view(), name="action_new"),
    path("actions/<uuid:pk>/", actions.ActionDetail.as_view(), name="action_detail"),
    path("actions/<uuid:pk>/complete/", actions.ActionComplete.as_view(), name="action_complete"),
    path("actions/<uuid:pk>/verify/", actions.ActionVerify.as_view(), name="action_verify"),
    path("actions/<uuid:pk>/reopen/", actions.ActionReopen.as_view(), name="action_reopen"),
    path("actions/<uuid:pk>/cancel/", actions.ActionCancel.as_view(), name="action_cancel"),
    path("gaps/", coverage.GapList.as_view(), name="gap_list"),
    path("gaps/<uuid:pk>/", coverage.GapDetail.as_view(), name="gap_detail"),
    path("gaps/<uuid:pk>/close/", coverage.GapClose.as_view(), name="gap_close"),
    path("models/<uuid:pk>/dossier/", dossiers.DossierEdit.as_view(), name="dossier_edit"),
    path("models/<uuid:pk>/dossier/diff/", dossiers.DossierDiff.as_view(), name="dossier_diff"),
    path("models/<uuid:pk>/dossier.md", dossiers.DossierMarkdown.as_view(), name="dossier_markdown"),
    path("models/<uuid:pk>/dossier.json", dossiers.DossierJson.as_view(), name="dossier_json"),
]
