"""Evidence over the API: pipelines attach files and read back what was found in them."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from rest_framework import mixins, serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from config.portal.api import GovernedViewSet, StrictSerializer
from governance.evidence.attach import attach
from governance.evidence.models import Artifact
from governance.evidence.rights import ArtifactRight
from stewardship.inventory.models import ModelVersion
from stewardship.inventory.rights import VersionRight

MEDIA_TYPES = {
    "json": "application/json",
    "xml": "application/xml",
    "csv": "text/csv",
    "md": "text/markdown",
    "txt": "text/plain",
    "pdf": "application/pdf",
}


class ArtifactOut(serializers.ModelSerializer[Artifact]):
    """An artifact with what was read in it; `problem` says why it counts as not known."""

    model: serializers.SlugRelatedField[Any] = serializers.SlugRelatedField(source="version.model", slug_field="slug", read_only=True)
    version_label = serializers.CharField(source="version.label", read_only=True)
    digest = serializers.CharField(source="blob.sha256", read_only=True)
    size = serializers.IntegerField(source="blob.size", read_only=True)
    media_type = serializers.CharField(source="blob.media_type", read_only=True)
    readings = serializers.JSONField(read_only=True)

    class Meta:
        model = Artifact
        fields = (
            "id", "model", "version", "version_label", "kind", "name", "digest", "received_digest", "size", "media_type",
            "reader", "readings", "problem", "attached_at",
        )  # fmt: skip
        read_only_fields = fields


class ArtifactIn(StrictSerializer):
    """A file about a version; `version` is its id, or the digest of the model artifact."""

    version = serializers.CharField(max_length=64)
    kind = serializers.CharField(max_length=40, validators=[validate_slug])
    file = serializers.FileField(allow_empty_file=True)
    name = serializers.CharField(max_length=200, required=False)
    media_type = serializers.CharField(max_length=100, required=False)
    digest = serializers.CharField(max_length=80, required=False, help_text=_("SHA-256 of the file; refused when it does not fit."))


class ArtifactViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GovernedViewSet):
    """List, read and attach evidence."""

    model = Artifact
    queryset = Artifact.objects.select_related("version__model", "blob")
    rights: ClassVar[dict[str, str]] = {"list": ArtifactRight.VIEW, "retrieve": ArtifactRight.VIEW, "create": ArtifactRight.ATTACH}
    serializer_class = ArtifactOut
    parser_classes = (MultiPartParser,)
    filterset_fields = ("version", "kind")

    def create(self, request: Request) -> Response:
        """201 with the artifact; 200 where this very file is the version's latest of its kind already."""
        given = ArtifactIn(data=request.data)
        given.is_valid(raise_exception=True)
        fields: dict[str, Any] = given.validated_data
        version = self._version(fields["version"])
        name = fields.get("name") or fields["file"].name
        before = set(Artifact.objects.filter(version=version, kind=fields["kind"]).values_list("pk", flat=True))
        artifact = attach(
            version=version,
            kind=fields["kind"],
            data=fields["file"].read(),
            name=name,
            media_type=fields.get("media_type") or MEDIA_TYPES.get(name.rpartition(".")[2].lower(), "application/octet-stream"),
            actor=request.user,  # type: ignore[arg-type]  # signed in, as RightRequired demanded
            expected_digest=fields.get("digest", ""),
        )
        known = artifact.pk in before
        return Response(ArtifactOut(artifact).data, status=status.HTTP_200_OK if known else status.HTTP_201_CREATED)

    def _version(self, text: str) -> ModelVersion:
        lookup = "digest" if len(text) == 64 else "pk"
        try:
            found: ModelVersion | None = ModelVersion.objects.allowed(self.request.user, VersionRight.VIEW).filter(**{lookup: text}).first()
        except ValidationError:
            found = None
        if found is None:
            raise Http404
        return found


routes = [("evidence", ArtifactViewSet, "evidence")]
