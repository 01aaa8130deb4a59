"""The API: Django REST framework, and the OpenAPI document that describes it."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

__all__ = ["API_VERSION", "REST_FRAMEWORK", "SPECTACULAR_SETTINGS"]

API_VERSION = "1.0.0"

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["bcc.core.rest.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["bcc.core.rest.renderers.OrjsonRenderer"],
    "DEFAULT_PAGINATION_CLASS": "bcc.core.rest.paging.KeysetPagination",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "bcc.core.rest.schema.ApiSchema",
    "EXCEPTION_HANDLER": "bcc.core.rest.problems.exception_handler",
    # OPTIONS would tell anyone the fields of every serializer; the schema does that where it is meant to.
    "DEFAULT_METADATA_CLASS": None,
    "PAGE_SIZE": 25,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    # `?format=` would be a second way to ask for a type, and an unknown parameter is a 400.
    "URL_FORMAT_OVERRIDE": None,
    "UNICODE_JSON": True,
    "COERCE_DECIMAL_TO_STRING": True,
}

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": _("Club API"),
    "DESCRIPTION": _(
        "The contract with the member app. JSON in snake_case, UTC in ISO 8601 with Z, money as decimal "
        "strings; errors are RFC 9457 problem documents with a stable code."
    ),
    "VERSION": API_VERSION,
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "COMPONENT_SPLIT_REQUEST": True,
    "COMPONENT_NO_READ_ONLY_REQUIRED": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": True,
    "SORT_OPERATIONS": True,
    # Swagger UI and Redoc come from the machine itself.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "persistAuthorization": False, "tryItOutEnabled": True},
    # The docstrings of our base classes are for us, not for the readers of the schema.
    "GET_LIB_DOC_EXCLUDES": "bcc.core.rest.schema.doc_excludes",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "bcc.maintenance.describe_door",
    ],
    # Clients are generated from these names: a made one changes when another field is like it.
    "ENUM_NAME_OVERRIDES": {
        "AccessKind": "documents.models.AccessKind",
        "AccessSubject": "documents.serializers.reading.SUBJECTS",
        "ActorKind": ["member", "staff", "system"],
        "Audience": "facilities.models.Audience",
        "Channel": "accounts.models.Channel",
        "CodePurpose": "accounts.models.OneTimePassword.Purpose",
        "ChatMessageType": "chat.models.Message.Type",
        "ConversationKind": "chat.models.Kind",
        "ConversationState": "chat.models.Conversation.State",
        "DeletionState": "accounts.models.DeletionRequest.State",
        "DeskWeekday": "chat.models.Weekday",
        "DocumentKind": "documents.models.DocumentKind",
        "EntryKind": "documents.models.EntryKind",
        "FacilityKind": "facilities.models.Kind",
        "FacilityTakes": "facilities.models.Takes",
        "GuestClass": "reservations.models.Guest.GuestClass",
        "ImagePurpose": "documents.models.ImagePurpose",
        "LinkChecker": "documents.serializers.reading.CHECKERS",
        "ParticipantKind": "reservations.models.Participant.Kind",
        "Platform": "accounts.models.Device.Platform",
        "PolicyTopic": "facilities.policies.plain_language.TOPICS",
        "PublishingState": "facilities.models.Publishing",
        "QuotaScope": "facilities.models.QuotaRule.Per",
        "RateFor": "facilities.models.Rate.GuestClass",
        "RateUnit": "facilities.models.Rate.Unit",
        "Relation": "accounts.models.Relation",
        "ReportReason": "chat.models.MessageReport.Reason",
        "ReportState": "chat.models.MessageReport.State",
        "RecordReadWhat": "accounts.models.RecordRead.What",
        "ReservationAction": "reservations.models.ReservationEvent.Action",
        "ReservationState": "reservations.serializers.shown.STATES",
        "ReservationType": "reservations.models.Type",
        "SlotState": "reservations.serializers.shown.SLOT_STATES",
        "Standing": "accounts.models.Standing",
    },
    "SECURITY": [],
}
