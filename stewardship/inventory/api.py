"""Models, versions and deployments for programs. Each POST is one verb; what may not be seen does not exist."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, cast

import django_filters
from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from config.portal.api import GovernedViewSet, StrictSerializer
from stewardship.inventory import deploy, register
from stewardship.inventory.models import (
    TIERS,
    Deployment,
    Environment,
    ModelFamily,
    ModelVersion,
    RegisteredModel,
    Ruling,
    Stage,
)
from stewardship.inventory.rights import DeploymentRight, ModelRight, VersionRight
from stewardship.people.models import User
from stewardship.regions.models import Region


class Named(serializers.SlugRelatedField[Any]):
    """A reference by short name; what the person may not see is unknown to them here too."""

    def __init__(self, model: type[Model], slug_field: str, right: str, **kwargs: Any) -> None:
        self.of, self.right = model, right
        super().__init__(slug_field=slug_field, queryset=model._default_manager.none(), **kwargs)

    def get_queryset(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.of._default_manager.allowed(self.context["request"].user, self.right)  # type: ignore[attr-defined]
        return rows


def _model(**kwargs: Any) -> Named:
    return Named(RegisteredModel, "slug", ModelRight.VIEW, help_text=_("Short name of a model."), **kwargs)


class ModelSerializer(serializers.ModelSerializer[RegisteredModel]):
    """A registered model."""

    family: serializers.SlugRelatedField[Any] = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    region: serializers.SlugRelatedField[Any] = serializers.SlugRelatedField(slug_field="code", read_only=True)
    legal_entity: serializers.SlugRelatedField[Any] = serializers.SlugRelatedField(slug_field="name", read_only=True)

    class Meta:
        model = RegisteredModel
        fields = (
            "id",
            "slug",
            "name",
            "family",
            "region",
            "legal_entity",
            "purpose",
            "outcome",
            "outcome_measure",
            "exposure",
            "purpose_class",
            "technique",
            "tier",
            "stage",
            "ruling",
            "ruling_rationale",
            "provider",
            "registered_at",
        )
        read_only_fields = fields


class RegisterModelSerializer(StrictSerializer):
    """What POST /models/ takes."""

    slug = serializers.SlugField(max_length=100)
    name = serializers.CharField(max_length=200)
    family = Named(ModelFamily, "slug", ModelRight.VIEW, help_text=_("Short name of a family."))
    region = Named(Region, "code", ModelRight.REGISTER, help_text=_("Code of a region in which you may register models."))
    purpose = serializers.CharField()
    outcome = serializers.CharField(required=False)
    outcome_measure = serializers.CharField(required=False)
    exposure = serializers.CharField(required=False)
    purpose_class = serializers.CharField(required=False, max_length=80)
    technique = serializers.CharField(required=False, max_length=120)
    ruling = serializers.ChoiceField(required=False, choices=Ruling.choices)
    ruling_rationale = serializers.CharField(required=False)
    provider = serializers.CharField(required=False, max_length=160)


class VersionSerializer(serializers.ModelSerializer[ModelVersion]):
    """A version of a model."""

    model: serializers.SlugRelatedField[Any] = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    parent: Any = serializers.SlugRelatedField(slug_field="label", read_only=True)
    datasets = serializers.JSONField(read_only=True)
    libraries = serializers.JSONField(read_only=True)

    class Meta:
        model = ModelVersion
        fields = (
            "id",
            "model",
            "label",
            "digest",
            "uri",
            "code_revision",
            "committer",
            "reviewer",
            "run",
            "datasets",
            "libraries",
            "parent",
            "notes",
            "registered_at",
        )
        read_only_fields = fields


class RegisterVersionSerializer(StrictSerializer):
    """What POST /versions/ takes."""

    model = _model()
    label: Any = serializers.CharField(max_length=80)
    digest = serializers.CharField(max_length=80, help_text=_("SHA-256 of the artifact in lower-case hex, with or without `sha256:`."))
    uri = serializers.CharField(required=False, max_length=500)
    code_revision = serializers.CharField(required=False, max_length=120)
    committer = serializers.CharField(required=False, max_length=200)
    reviewer = serializers.CharField(required=False, max_length=200)
    run = serializers.CharField(required=False, max_length=200)
    datasets = serializers.ListField(required=False, child=serializers.JSONField())
    libraries = serializers.DictField(required=False, child=serializers.CharField(max_length=80))
    parent: Any = serializers.CharField(required=False, max_length=80, help_text=_("Label of the version it was made from."))
    notes = serializers.CharField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "parent" in attrs:
            found = attrs["model"].versions.filter(label=attrs["parent"]).first()
            if found is None:
                raise serializers.ValidationError({"parent": [_("This model has no version of that label.")]})
            attrs["parent"] = found
        return attrs


class DeploymentSerializer(serializers.ModelSerializer[Deployment]):
    """A deployment, live while `ended_at` is null."""

    model: serializers.SlugRelatedField[Any] = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    version: serializers.SlugRelatedField[Any] = serializers.SlugRelatedField(slug_field="label", read_only=True)
    environment: serializers.SlugRelatedField[Any] = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    region: serializers.SlugRelatedField[Any] = serializers.SlugRelatedField(slug_field="code", read_only=True)

    class Meta:
        model = Deployment
        fields = ("id", "model", "version", "environment", "region", "share", "started_at", "ended_at")
        read_only_fields = fields


class RecordDeploymentSerializer(StrictSerializer):
    """What POST /deployments/ takes."""

    model = _model()
    version = serializers.CharField(max_length=80, help_text=_("Label of a version of this model."))
    environment = Named(Environment, "slug", DeploymentRight.VIEW, help_text=_("Short name of an environment."))
    # Codes of regions are no secret; whether this person may record there is the verb's question.
    region: serializers.SlugRelatedField[Any] = serializers.SlugRelatedField(
        slug_field="code", queryset=Region.objects.all(), help_text=_("Code of a region.")
    )
    share = serializers.DecimalField(
        max_digits=5, decimal_places=4, min_value=Decimal("0.0001"), max_value=Decimal(1), required=False, default=Decimal(1)
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        found = attrs.pop("model").versions.filter(label=attrs["version"]).first()
        if found is None:
            raise serializers.ValidationError({"version": [_("This model has no version of that label.")]})
        return {**attrs, "version": found}


class RegionFilter(django_filters.CharFilter):
    """A region's code stands for the region and everything below it."""

    def filter(self, qs: QuerySet[Any], value: str) -> QuerySet[Any]:
        if not value:
            return qs
        ids = Region.objects.ids_below(Region.objects.filter(code=value).values_list("pk", flat=True))
        return qs.filter(**{f"{self.field_name}__in": ids})


def _person(request: Request) -> User:
    return cast(User, request.user)  # nobody else passes RightRequired


class ModelFilter(django_filters.FilterSet):
    """?region=eu&tier=1&stage=monitoring&family=scores"""

    region = RegionFilter(field_name="region_id")
    tier = django_filters.ChoiceFilter(choices=[(tier, tier) for tier in TIERS])
    stage = django_filters.ChoiceFilter(choices=Stage.choices)
    family = django_filters.CharFilter(field_name="family__slug")
    slug = django_filters.CharFilter()


class VersionFilter(django_filters.FilterSet):
    """?model=tumour-risk&label=1.0.0&digest=…"""

    model = django_filters.CharFilter(field_name="model__slug")
    label = django_filters.CharFilter()
    digest = django_filters.CharFilter()


class DeploymentFilter(django_filters.FilterSet):
    """?model=tumour-risk&environment=production&region=eu&live=true"""

    model = django_filters.CharFilter(field_name="model__slug")
    environment = django_filters.CharFilter(field_name="environment__slug")
    region = RegionFilter(field_name="region_id")
    live = django_filters.BooleanFilter(field_name="ended_at", lookup_expr="isnull")


class ModelViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GovernedViewSet):
    """The register of models."""

    model = RegisteredModel
    queryset = RegisteredModel.objects.select_related("family", "region", "legal_entity")
    rights: ClassVar[Mapping[str, str]] = {"list": ModelRight.VIEW, "retrieve": ModelRight.VIEW, "create": ModelRight.REGISTER}
    serializer_class = ModelSerializer
    filterset_class = ModelFilter
    ordering = ("-registered_at",)

    @extend_schema(request=RegisterModelSerializer, responses={201: ModelSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Register a model; it starts as a concept."""
        given = RegisterModelSerializer(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        made = register.register_model(actor=_person(request), **given.validated_data)
        return Response(self.get_serializer(made).data, status=status.HTTP_201_CREATED)


class VersionViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GovernedViewSet):
    """Versions of models."""

    model = ModelVersion
    queryset = ModelVersion.objects.select_related("model", "parent")
    rights: ClassVar[Mapping[str, str]] = {"list": VersionRight.VIEW, "retrieve": VersionRight.VIEW, "create": VersionRight.REGISTER}
    serializer_class = VersionSerializer
    filterset_class = VersionFilter
    ordering = ("-registered_at",)

    @extend_schema(request=RegisterVersionSerializer, responses={201: VersionSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Register a version by the digest of its artifact."""
        given = RegisterVersionSerializer(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        made = register.register_version(actor=_person(request), **given.validated_data)
        return Response(self.get_serializer(made).data, status=status.HTTP_201_CREATED)


class DeploymentViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GovernedViewSet):
    """What runs where, now and before. The gate's slice adds recording: nothing is deployed past the gate."""

    model = Deployment
    queryset = Deployment.objects.select_related("model", "version", "environment", "region")
    rights: ClassVar[Mapping[str, str]] = {
        "list": DeploymentRight.VIEW,
        "retrieve": DeploymentRight.VIEW,
        "end": DeploymentRight.RECORD,
    }
    serializer_class = DeploymentSerializer
    filterset_class = DeploymentFilter
    ordering = ("-started_at",)

    @extend_schema(request=None, responses={200: DeploymentSerializer})
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: str | None = None) -> Response:
        """Record that it runs there no longer."""
        row = self.get_object()
        deploy.end(row, actor=_person(request))
        return Response(self.get_serializer(row).data)


routes = [
    ("models", ModelViewSet, "model"),
    ("versions", VersionViewSet, "version"),
]
