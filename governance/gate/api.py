"""The gate over the API: one hot question as a plain view, its key, what was answered, and deployments behind it."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar, cast

import msgspec
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from config.portal import idempotency, problems
from config.portal.api import GovernedViewSet, read_body
from config.portal.errors import DomainError, Invalid
from governance.gate import keys
from governance.gate.ask import ask
from governance.gate.deploy import record_deployment
from governance.gate.models import Verdict
from governance.gate.rights import VerdictRight
from governance.policies.models import Verdict as Answer
from stewardship.inventory.api import DeploymentSerializer, DeploymentViewSet, RecordDeploymentSerializer
from stewardship.inventory.rights import DeploymentRight
from stewardship.people.models import User
from stewardship.people.tokens import TokenAuthentication

MOST_BYTES = 4096


class Question(msgspec.Struct, forbid_unknown_fields=True):
    """What a pipeline asks: a model, a version by label or digest, and the place."""

    model: str
    environment: str
    region: str
    version: str = ""
    digest: str = ""


_questions = msgspec.json.Decoder(Question)


@csrf_exempt
def gate(request: HttpRequest) -> HttpResponse:
    """POST a question, get a verdict. Every answer, also a no, is 200; only a question that cannot be understood is not."""
    if request.method != "POST":
        refused = problems.problem(HTTPStatus.METHOD_NOT_ALLOWED, _("The gate is asked by POST."))
        refused["Allow"] = "POST"
        return refused
    try:
        actor = _asker(request)
        if actor is None:
            return _unauthorized(request, _("A token is needed: Authorization: Bearer cnc_…"))
        body = read_body(request, MOST_BYTES)
        return idempotency.once(request, actor, body, lambda: _answer(request, actor, body))
    except DomainError as error:
        return _refused(request, error)
    except APIException as error:
        if error.status_code == HTTPStatus.UNAUTHORIZED:
            return _unauthorized(request, str(error.detail))
        return problems.problem(error.status_code, str(error.detail))


def _answer(request: HttpRequest, actor: User, body: bytes) -> HttpResponse:
    try:
        said = ask(actor=actor, **msgspec.structs.asdict(_read(body)))
    except DomainError as error:
        return _refused(request, error)
    return HttpResponse(msgspec.json.encode(said.as_document()), content_type="application/json")


def _refused(request: HttpRequest, error: DomainError) -> HttpResponse:
    response = problems.response_to(request, error)
    if response is None:
        raise error
    return response


def _asker(request: HttpRequest) -> User | None:
    """Whose question it is: a token's, or that of a signed-in person whose form came from our own page."""
    found = TokenAuthentication().authenticate(request)
    if found is not None:
        return found[0]
    if request.user.is_authenticated:
        SessionAuthentication().enforce_csrf(request)  # type: ignore[arg-type]  # it reads nothing that only a DRF request has
        return request.user
    return None


def _read(body: bytes) -> Question:
    try:
        question = _questions.decode(body)
    except msgspec.ValidationError as error:
        raise Invalid(
            _("The question is not complete, or has too much: %(error)s") % {"error": error},
            field=_field_of(str(error)),
            remedy=_('Send {"model", "version" or "digest", "environment", "region"}, all as text.'),
        ) from error
    except (msgspec.DecodeError, UnicodeError) as error:
        raise Invalid(_("The body is not JSON: %(error)s") % {"error": error}, remedy=_("Send one JSON object.")) from error
    if bool(question.version) == bool(question.digest):
        raise Invalid(
            _("Name the version either by its label or by its digest."), field="version", remedy=_("Send one of “version” and “digest”.")
        )
    # PostgreSQL cannot even compare a text that holds a zero byte.
    for name, value in msgspec.structs.asdict(question).items():
        if "\x00" in value or len(value) > 500:
            raise Invalid(_("This cannot be a name."), field=name, remedy=_("Send at most 500 characters, none of them a zero byte."))
    return question


def _field_of(text: str) -> str:
    """The field that msgspec's message speaks of: a path `$.model`, or a name in backquotes."""
    if "`$." in text:
        return text.rsplit("`$.", 1)[1].rstrip("`")
    parts = text.split("`")
    return parts[1] if len(parts) > 2 else ""


def _unauthorized(request: HttpRequest, detail: str) -> HttpResponse:
    response = problems.problem(HTTPStatus.UNAUTHORIZED, detail)
    response["WWW-Authenticate"] = TokenAuthentication().authenticate_header(request)
    return response


def key(request: HttpRequest) -> HttpResponse:
    """The public key of permits, as a JSON Web Key Set; open, since it is meant for whoever checks a permit."""
    return JsonResponse({"keys": [keys.jwk()]})


class VerdictSerializer(serializers.ModelSerializer[Verdict]):
    """One answer of the gate."""

    model = serializers.SlugRelatedField[Any](source="version.model", slug_field="slug", read_only=True)
    version = serializers.SlugRelatedField[Any](slug_field="label", read_only=True)
    environment = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    region = serializers.SlugRelatedField[Any](slug_field="code", read_only=True)
    reasons = serializers.JSONField(read_only=True)
    alternatives = serializers.JSONField(read_only=True)
    asked_by = serializers.UUIDField(source="actor_id", read_only=True)

    class Meta:
        model = Verdict
        fields = (
            "id",
            "at",
            "asked_by",
            "model",
            "version",
            "environment",
            "region",
            "verdict",
            "reasons",
            "alternatives",
            "change",
            "permit",
        )
        read_only_fields = fields


class VerdictFilter(filters.FilterSet):
    """Which answers."""

    model = filters.CharFilter(field_name="version__model__slug")
    version = filters.CharFilter(field_name="version__label")
    environment = filters.CharFilter(field_name="environment__slug")
    region = filters.CharFilter(field_name="region__code")
    verdict = filters.ChoiceFilter(choices=Answer.choices)

    class Meta:
        model = Verdict
        fields = ("model", "version", "environment", "region", "verdict")


class VerdictViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, GovernedViewSet):
    """What the gate answered, newest first."""

    model = Verdict
    queryset = Verdict.objects.select_related("version__model", "environment", "region")
    serializer_class = VerdictSerializer
    filterset_class = VerdictFilter
    ordering = ("-at",)
    right = VerdictRight.VIEW


class GatedDeploymentSerializer(RecordDeploymentSerializer):
    """A deployment, with the permit that the gate gave for it."""

    permit = serializers.CharField(required=False, allow_blank=True, default="", max_length=8192, help_text=_("The permit the gate gave."))


class GatedDeploymentViewSet(DeploymentViewSet):
    """What runs where; recorded only where the gate allows it, and the change is carried out with it."""

    rights: ClassVar[Mapping[str, str]] = {**DeploymentViewSet.rights, "create": DeploymentRight.RECORD}

    @extend_schema(request=GatedDeploymentSerializer, responses={201: DeploymentSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Refused with the reasons (409) where the gate does not say yes."""
        given = GatedDeploymentSerializer(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        made = record_deployment(actor=cast(User, request.user), **given.validated_data)
        return Response(self.get_serializer(made).data, status=status.HTTP_201_CREATED)


routes = [("gate/verdicts", VerdictViewSet, "verdict"), ("deployments", GatedDeploymentViewSet, "deployment")]
urlpatterns = [path("gate/", gate, name="gate"), path("gate/key/", key, name="gate_key")]
