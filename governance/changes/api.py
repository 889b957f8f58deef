"""Changes over the API: draft, read, submit, withdraw. A decision needs a person in a session, so it is refused here."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from django.utils.translation import gettext_lazy as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.portal.api import GovernedViewSet, StrictSerializer
from governance.approvals.rights import DecisionRight
from governance.approvals.submit import submit
from governance.changes.criteria import Comparison
from governance.changes.draft import draft
from governance.changes.models import ChangeRequest, Kind, Status
from governance.changes.rights import ChangeRight
from governance.changes.traced import OriginKind
from stewardship.inventory.api import Named
from stewardship.inventory.models import Environment, ModelVersion, RegisteredModel
from stewardship.people.models import User
from stewardship.regions.models import Region
from stewardship.regions.rights import RegionRight
from stewardship.signing.errors import ProgramsCannotSign


class ChangeSerializer(serializers.ModelSerializer[ChangeRequest]):
    """A change as others read it; `content` is exactly what approvers agree to."""

    reference = serializers.CharField(read_only=True)
    model = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    version = serializers.SlugRelatedField[Any](slug_field="label", read_only=True)
    environment = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    region = serializers.SlugRelatedField[Any](slug_field="code", read_only=True)
    owner = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)
    submitted_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)
    content = serializers.JSONField(read_only=True)

    class Meta:
        model = ChangeRequest
        fields = (
            "id",
            "reference",
            "kind",
            "status",
            "model",
            "version",
            "environment",
            "region",
            "title",
            "owner",
            "origin_kind",
            "origin_id",
            "origin_label",
            "revision",
            "content_digest",
            "content",
            "drafted_at",
            "submitted_by",
            "submitted_at",
            "decided_at",
            "implemented_at",
            "expires_at",
        )
        read_only_fields = fields


class CriterionSerializer(StrictSerializer):
    """One thing that makes us go back: the metric beyond the bound."""

    metric = serializers.CharField(max_length=120, help_text=_("Key of a metric of the catalogue."))
    comparison = serializers.ChoiceField(choices=Comparison.choices, help_text=_("Which side of the bound is bad."))
    bound = serializers.DecimalField(max_digits=24, decimal_places=8)


class PlanSerializer(StrictSerializer):
    """How to get back. From the deployment on each criterion is a threshold, for as long as the watch period lasts."""

    version = serializers.CharField(required=False, help_text=_("Label of the version to go back to."))
    trigger = serializers.CharField(required=False, allow_blank=True, max_length=4000)
    steps = serializers.CharField(required=False, allow_blank=True, max_length=4000)
    criteria = CriterionSerializer(many=True, required=False)


class DraftSerializer(StrictSerializer):
    """What POST /changes/ takes."""

    kind = serializers.ChoiceField(choices=Kind.choices)
    model = Named(RegisteredModel, "slug", ChangeRight.DRAFT, help_text=_("Short name of a model."))
    version = serializers.CharField(required=False, help_text=_("Label of a version of that model."))
    environment = serializers.SlugRelatedField[Any](slug_field="slug", queryset=Environment.objects.all(), required=False)
    region = Named(Region, "code", RegionRight.VIEW, required=False, help_text=_("Code of the region; the model's when absent."))
    title = serializers.CharField(required=False, max_length=160)
    rationale = serializers.CharField(required=False, max_length=10000)
    origin_kind = serializers.ChoiceField(choices=OriginKind.choices, required=False, help_text=_("What it comes from."))
    origin_reference = serializers.CharField(
        required=False, max_length=300, help_text=_("Address, id or number of what it comes from; words where that is not in the portal.")
    )
    observed_shifts = serializers.CharField(required=False, max_length=10000)
    policy_considerations = serializers.CharField(required=False, max_length=10000)
    ethical_considerations = serializers.CharField(required=False, max_length=10000)
    tradeoffs = serializers.ListField(child=serializers.DictField(child=serializers.CharField()), required=False)
    testing_protocol = serializers.ListField(child=serializers.DictField(child=serializers.CharField()), required=False)
    rollout_plan = serializers.CharField(required=False, max_length=10000)
    release_notes = serializers.CharField(required=False, max_length=10000)
    watch_days = serializers.IntegerField(required=False, min_value=0, max_value=365)
    waived_rule = serializers.CharField(required=False, max_length=130)
    compensating_control = serializers.CharField(required=False, max_length=10000)
    waiver_until = serializers.DateTimeField(required=False)
    rollback = PlanSerializer(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "version" in attrs:
            attrs["version"] = self._version(attrs["model"], attrs["version"], "version")
        plan = attrs.get("rollback")
        if plan is not None and "version" in plan:
            plan["target_version"] = self._version(attrs["model"], plan.pop("version"), "rollback.version")
        return attrs

    def _version(self, model: RegisteredModel, label: str, field: str) -> ModelVersion:
        found: ModelVersion | None = ModelVersion.objects.filter(model=model, label=label).first()
        if found is None:
            raise serializers.ValidationError({field: [_("This model has no such version.")]})
        return found


class ReasonSerializer(StrictSerializer):
    """Why."""

    reason = serializers.CharField(max_length=2000)


class ChangeFilter(filters.FilterSet):
    """Which changes."""

    model = filters.CharFilter(field_name="model__slug")
    region = filters.CharFilter(field_name="region__code")
    status = filters.ChoiceFilter(choices=Status.choices)
    kind = filters.ChoiceFilter(choices=Kind.choices)

    class Meta:
        model = ChangeRequest
        fields = ("model", "region", "status", "kind")


class ChangeViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GovernedViewSet):
    """Changes, the newest first."""

    model = ChangeRequest
    queryset = ChangeRequest.objects.select_related(
        "model", "version", "environment", "region", "owner", "submitted_by", "rollback__target_version"
    )
    serializer_class = ChangeSerializer
    filterset_class = ChangeFilter
    ordering = ("-number",)
    rights: ClassVar[dict[str, str]] = {
        "list": ChangeRight.VIEW,
        "retrieve": ChangeRight.VIEW,
        "create": ChangeRight.DRAFT,
        "submit": ChangeRight.SUBMIT,
        "withdraw": ChangeRight.WITHDRAW,
        "decide": DecisionRight.VIEW,
    }

    @extend_schema(request=DraftSerializer, responses={201: ChangeSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Draft a change; what a submission still needs may come later."""
        given = DraftSerializer(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        made = draft(actor=cast(User, request.user), **given.validated_data)
        return Response(self.get_serializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=ChangeSerializer)
    @action(detail=True, methods=["post"])
    def submit(self, request: Request, pk: str | None = None) -> Response:
        """Put it before those who must agree."""
        change = self.get_object()
        submit(change, actor=cast(User, request.user))
        return Response(self.get_serializer(change).data)

    @extend_schema(request=ReasonSerializer, responses=ChangeSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str | None = None) -> Response:
        """Take it back."""
        given = ReasonSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        change = self.get_object()
        change.withdraw(actor=cast(User, request.user), **given.validated_data)
        return Response(self.get_serializer(change).data)

    @extend_schema(request=None, responses={403: None})
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, pk: str | None = None) -> Response:
        """Always refused: a program cannot prove that a person is there."""
        change = self.get_object()
        raise ProgramsCannotSign(
            str(_("A decision is signed by a person in a session of the portal; an access token can never sign.")),
            remedy=str(_("Open %(page)s and decide there.")) % {"page": request.build_absolute_uri(change.get_absolute_url())},
        )


routes = [("changes", ChangeViewSet, "change")]
