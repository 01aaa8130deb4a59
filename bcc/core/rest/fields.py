"""Fields and serializers that take what the contract says and nothing near it.

Where DRF is lax: it reads a naive datetime in the server's zone, takes ``"yes"`` for true, ``"1.0"``
and ``true`` for 1, 5 for a text, and drops unknown fields in silence. In a query everything is text,
so the same fields read text when the serializer at the root is a ``StrictQuerySerializer``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, ClassVar, Final
from uuid import UUID

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from bcc.core.errors import InvalidError
from bcc.core.rest.problems import FieldErrors, flattened
from bcc.core.rest.renderers import instant_text

FIRST_YEAR, LAST_YEAR = 2000, 2100
INT32_MAX: Final = 2**31 - 1
INT64_MAX: Final = 2**63 - 1
EXACT_FLOAT: Final = 2**53
_INSTANT: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(?P<zone>[Zz]|[+-]\d{2}:\d{2})?", re.ASCII
)
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INTEGER: Final = re.compile(r"-?\d{1,19}", re.ASCII)
_MONEY: Final = re.compile(r"-?\d{1,12}(\.\d{1,4})?", re.ASCII)


def _reads_text(field: serializers.Field[Any, Any, Any, Any]) -> bool:
    return isinstance(field.root, StrictQuerySerializer)


class AwareDateTimeField(serializers.DateTimeField):
    """An instant: RFC 3339 with ``Z`` or an offset in, UTC with ``Z`` out, the years 2000 to 2099.

    Codes: ``naive_datetime``, ``invalid`` (impossible dates too), ``out_of_range``.
    """

    default_error_messages = {
        "invalid": _("This is no date and time. Send one such as 2026-02-28T06:00:00Z."),
        "naive_datetime": _("The offset is missing. End it with Z or an offset such as +08:00."),
        "out_of_range": _("This is too far away. Send a date from 2000 to 2099."),
    }

    def to_internal_value(self, value: Any) -> datetime:
        match = _INSTANT.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            self.fail("invalid")
        try:
            instant = datetime.fromisoformat(value.upper())
        except ValueError:
            self.fail("invalid")
        if instant.tzinfo is None:
            self.fail("naive_datetime")
        # By the year as written and as meant: the conversion itself overflows at the ends of time.
        if not FIRST_YEAR - 1 <= instant.year <= LAST_YEAR:
            self.fail("out_of_range")
        instant = instant.astimezone(UTC)
        if not FIRST_YEAR <= instant.year < LAST_YEAR:
            self.fail("out_of_range")
        return instant

    def to_representation(self, value: datetime) -> str:
        return instant_text(value)


class StrictDateField(serializers.DateField):
    """A calendar date, ``YYYY-MM-DD``, the years 2000 to 2099."""

    default_error_messages = {
        "invalid": _("This is no date. Send one such as 2026-02-28."),
        "out_of_range": _("This is too far away. Send a date from 2000 to 2099."),
    }

    def to_internal_value(self, value: Any) -> date:
        if not isinstance(value, str) or not _DATE.fullmatch(value):
            self.fail("invalid")
        try:
            on = date.fromisoformat(value)
        except ValueError:
            self.fail("invalid")
        if not FIRST_YEAR <= on.year < LAST_YEAR:
            self.fail("out_of_range")
        return on


class IntegerField(serializers.IntegerField):
    """A JSON number without a fraction; within 32 bits unless told otherwise."""

    default_error_messages = {"invalid": _("This is no whole number. Send one without quotes.")}

    def __init__(
        self, *, min_value: int | None = -INT32_MAX - 1, max_value: int | None = INT32_MAX, **kwargs: Any
    ):
        super().__init__(
            min_value=-INT64_MAX - 1 if min_value is None else min_value,
            max_value=INT64_MAX if max_value is None else max_value,
            **kwargs,
        )

    def to_internal_value(self, data: Any) -> int:
        if _reads_text(self) and isinstance(data, str) and _INTEGER.fullmatch(data):
            return int(data)
        # JSON has one kind of number: 2.0 is 2. Beyond 2**53 a float is no exact integer; orjson makes
        # one of each integer beyond 64 bits, and the range refuses those.
        if isinstance(data, float) and data.is_integer():
            return int(data)
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return data


class BooleanField(serializers.BooleanField):
    """``true`` or ``false``."""

    default_error_messages = {
        "invalid": _("This is neither true nor false. Send one of the two without quotes.")
    }

    def to_internal_value(self, data: Any) -> bool:
        if _reads_text(self) and data in ("true", "false"):
            return bool(data == "true")
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class CharField(serializers.CharField):
    """A text; numbers are not taken for one. NUL and lone surrogates are refused by DRF's validators."""

    default_error_messages = {"invalid": _("This is no text. Put it in quotes.")}

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data is not serializers.empty and data is not None and not isinstance(data, str):
            self.fail("invalid")
        return super().run_validation(data)


class UUIDField(serializers.UUIDField):
    """A public id as text. DRF's own takes a number for one too."""

    default_error_messages = {"invalid": _("This is no id. Send it as the API gave it.")}

    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str):
            self.fail("invalid")
        value: UUID = super().to_internal_value(data)
        return value


@extend_schema_field({"type": "string", "pattern": r"^-?\d{1,12}(\.\d{1,4})?$", "examples": ["1250.00"]})
class MoneyField(serializers.DecimalField):
    """An amount as a decimal string, two places; the currency stands beside it (``CurrencyField``)."""

    default_error_messages = {"invalid": _('This is no amount. Send a decimal string such as "1250.00".')}

    def __init__(self, *, max_digits: int = 14, decimal_places: int = 2, **kwargs: Any) -> None:
        super().__init__(max_digits, decimal_places, coerce_to_string=True, **kwargs)

    def to_internal_value(self, data: Any) -> Decimal:
        if not isinstance(data, str) or not _MONEY.fullmatch(data):
            self.fail("invalid")
        return super().to_internal_value(data)


@extend_schema_field({"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d$", "examples": ["07:00"]})
class WallTimeField(serializers.TimeField):
    """A time by the clock of the club, ``HH:MM``; OpenAPI's ``time`` has seconds and an offset."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="%H:%M", **kwargs)


class CurrencyField(serializers.CharField):
    """The club's currency, ISO 4217, beside every amount."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, source="*", **kwargs)

    def to_representation(self, value: object) -> str:
        return str(settings.CLUB_CURRENCY)


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses fields that it does not have (``unknown_field``) or does not take (``read_only``)."""

    default_error_messages = {
        "unknown_field": _("There is no such field here. Leave it out."),
        "read_only": _("This field cannot be set. Leave it out."),
    }

    def to_internal_value(self, data: Any) -> Any:
        return _strictly(self, data, super().to_internal_value)


class StrictModelSerializer(serializers.ModelSerializer[Any]):
    """A ModelSerializer with the same manners, and the strict fields for the model's columns.

    Set ``Meta.validators = []`` where the model has conditional unique constraints: DRF checks them
    only if the condition's field is in the serializer; the service maps the IntegrityError.
    """

    default_error_messages = StrictSerializer.default_error_messages
    serializer_field_mapping = serializers.ModelSerializer.serializer_field_mapping | {
        models.DateTimeField: AwareDateTimeField,
        models.DateField: StrictDateField,
        models.BooleanField: BooleanField,
        models.IntegerField: IntegerField,
        models.PositiveIntegerField: IntegerField,
        models.PositiveSmallIntegerField: IntegerField,
        models.SmallIntegerField: IntegerField,
        models.CharField: CharField,
        models.TextField: CharField,
    }

    def to_internal_value(self, data: Any) -> Any:
        return _strictly(self, data, super().to_internal_value)


def _strictly(serializer: serializers.BaseSerializer[Any], data: Any, convert: Any) -> Any:
    """Convert ``data``, and tell what is unknown together with what is wrong."""
    unknown: dict[str, Any] = {}
    if isinstance(data, Mapping):
        fields = serializer.fields  # type: ignore[attr-defined]  # both callers are Serializers, which have them
        for name in data:
            if name not in fields:
                unknown[str(name)] = [_error(serializer, "unknown_field")]
            elif fields[name].read_only:
                unknown[name] = [_error(serializer, "read_only")]
    try:
        value = convert(data)
    except serializers.ValidationError as error:
        if isinstance(error.detail, dict):
            raise serializers.ValidationError({**unknown, **error.detail}) from error
        raise
    if unknown:
        raise serializers.ValidationError(unknown)
    return value


def _error(serializer: serializers.BaseSerializer[Any], code: str) -> serializers.ErrorDetail:
    return serializers.ErrorDetail(str(serializer.error_messages[code]), code=code)


class StrictQuerySerializer(StrictSerializer):
    """A query's parameters. Fields read text; lists and multiple choices take repeats and commas."""

    default_error_messages = {
        "unknown_field": _("There is no such parameter here. Leave it out."),
        "repeated": _("This parameter stands more than once. Send it once."),
    }
    several: ClassVar[tuple[type[serializers.Field[Any, Any, Any, Any]], ...]] = (
        serializers.ListField,
        serializers.MultipleChoiceField,
    )


def validated_query(
    request: Request, serializer_class: type[StrictQuerySerializer], *, beside: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """The validated query parameters of ``request``; ``beside`` names those that others read (paging).

    Raises InvalidError naming each parameter that is unknown, repeated or no value.
    """
    serializer = serializer_class(context={"request": request})
    data: dict[str, Any] = {}
    errors: FieldErrors = {}
    for name, values in request.query_params.lists():
        if name in beside:
            continue
        if isinstance(serializer.fields.get(name), serializer.several):
            data[name] = [part for value in values for part in value.split(",")]
        elif len(values) > 1:
            errors[name] = [("repeated", str(serializer.error_messages["repeated"]))]
        else:
            data[name] = values[0]
    serializer.initial_data = data
    if not serializer.is_valid():
        for name, pairs in flattened(serializer.errors).items():
            errors.setdefault(name, pairs)
    if errors:
        raise InvalidError(errors=errors)
    validated: dict[str, Any] = serializer.validated_data
    return validated


def validated_body(
    request: Request, serializer_class: type[StrictSerializer], *, partial: bool = False
) -> dict[str, Any]:
    """The validated body of ``request``. Raises DRF's ValidationError, which names each field."""
    serializer = serializer_class(data=request.data, partial=partial, context={"request": request})
    serializer.is_valid(raise_exception=True)
    validated: dict[str, Any] = serializer.validated_data
    return validated


class NothingSerializer(StrictSerializer):
    """A body without fields: ``{}`` or nothing at all."""
