"""What a member reads of their papers and their account."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from bcc.core.rest.fields import (
    AwareDateTimeField,
    CharField,
    CurrencyField,
    IntegerField,
    MoneyField,
    StrictDateField,
    StrictQuerySerializer,
    StrictSerializer,
)
from documents.models import AccessKind, Document, DocumentAccess, DocumentKind, EntryKind
from documents.models.periods import check_period
from documents.policies.links import LONGEST, LONGEST_BY_PROXY
from documents.services.links import MAX_TOKEN

__all__ = [
    "AccessSerializer",
    "BalanceSerializer",
    "ContentQuery",
    "DocumentQuery",
    "DocumentSerializer",
    "EntryQuery",
    "EntrySerializer",
    "LinkRequestSerializer",
    "LinkSerializer",
    "StatementSerializer",
]

PERIOD_HELP = "A month, as `2026-10`."
CHECKERS = [("proxy", "the proxy alone"), ("application", "the application")]
SUBJECTS = [("document", "a document")]


class PeriodQueryField(CharField):
    """A month in a query."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=7, validators=[check_period], help_text=PERIOD_HELP, **kwargs)


class DocumentQuery(StrictQuerySerializer):
    kind = serializers.ChoiceField(choices=DocumentKind.choices, required=False, help_text="Of one kind.")
    period = PeriodQueryField(required=False)


class EntryQuery(StrictQuerySerializer):
    period = PeriodQueryField(required=False)
    kind = serializers.ChoiceField(choices=EntryKind.choices, required=False, help_text="Of one kind.")
    since = StrictDateField(required=False, help_text="Posted on this date or later.")
    until = StrictDateField(required=False, help_text="Posted on this date or earlier.")


class ContentQuery(StrictQuerySerializer):
    link = CharField(
        required=False,
        max_length=MAX_TOKEN,
        help_text="A signed link's token instead of the header, as `POST …/link` gave it.",
    )


class DocumentSerializer(serializers.Serializer[Any]):
    """A paper of the household. `name` is what it is saved as."""

    id = serializers.UUIDField(source="public_id")
    kind = serializers.ChoiceField(choices=DocumentKind.choices)
    period = serializers.CharField(help_text=PERIOD_HELP)
    number = serializers.CharField(help_text="Of a receipt or notice; else empty.")
    version = serializers.IntegerField(help_text="Counts corrected versions, from 1.")
    name = serializers.SerializerMethodField()
    media_type = serializers.CharField(source="asset.media_type")
    bytes = serializers.IntegerField(source="asset.size")
    pages = serializers.IntegerField(help_text="0 where it has no pages.")
    published_at = AwareDateTimeField()

    def get_name(self, row: Document) -> str:
        return str(self.context["names"][row.pk])


class SumsSerializer(serializers.Serializer[Any]):
    """The sums of a month: previous + charges − payments = due."""

    previous = MoneyField()
    charges = MoneyField()
    payments = MoneyField()
    due = MoneyField()
    currency = CurrencyField()
    due_on = serializers.DateField(allow_null=True)


class StatementSerializer(serializers.Serializer[Any]):
    """The statement of a month. `sums` is null where Finance sent the paper alone, `document` where it
    sent sums and there is no paper of them yet; the list has months with a paper."""

    period = serializers.CharField(help_text=PERIOD_HELP)
    document = DocumentSerializer(allow_null=True)
    sums = SumsSerializer(allow_null=True)


class AssessmentSerializer(serializers.Serializer[Any]):
    """Dues and assessments beside the statement."""

    id = serializers.UUIDField(source="public_id")
    period = serializers.CharField(help_text=PERIOD_HELP)
    code = serializers.CharField(source="number")
    description = serializers.CharField()
    amount = MoneyField()
    currency = CurrencyField()
    due_on = serializers.DateField(allow_null=True)


class BalanceSerializer(serializers.Serializer[Any]):
    """What the household owes as of the last statement; below zero the club owes."""

    period = serializers.CharField(source="sums.period", help_text=PERIOD_HELP)
    published_at = AwareDateTimeField(source="sums.published_at")
    previous = MoneyField(source="sums.previous")
    charges = MoneyField(source="sums.charges")
    payments = MoneyField(source="sums.payments")
    due = MoneyField(source="sums.due")
    currency = CurrencyField()
    due_on = serializers.DateField(source="sums.due_on", allow_null=True)
    assessments = AssessmentSerializer(many=True)


class EntrySerializer(serializers.Serializer[Any]):
    """One line of the account. `amount` is what the household owes for it; a payment is below zero."""

    id = serializers.UUIDField(source="public_id")
    period = serializers.CharField(help_text=PERIOD_HELP)
    kind = serializers.ChoiceField(choices=EntryKind.choices)
    number = serializers.CharField(help_text="Of the chit or receipt.")
    posted_on = serializers.DateField()
    description = serializers.CharField()
    outlet = serializers.CharField(help_text="Where; may be empty.")
    amount = MoneyField()
    currency = CurrencyField()


class LinkRequestSerializer(StrictSerializer):
    """How long the link shall live."""

    seconds = IntegerField(
        min_value=1,
        max_value=int(LONGEST.total_seconds()),
        default=int(LONGEST_BY_PROXY.total_seconds()),
        help_text="Up to 60 the proxy may check it alone; a longer one ends with the session.",
    )


class LinkSerializer(serializers.Serializer[Any]):
    """An address that opens without a header until it expires. Whoever has it can read: show it nowhere."""

    url = serializers.URLField()
    expires_at = AwareDateTimeField()
    checked_by = serializers.ChoiceField(choices=CHECKERS)


class ReadDocumentSerializer(serializers.Serializer[Any]):
    """Which document it was."""

    id = serializers.UUIDField(source="public_id")
    kind = serializers.ChoiceField(choices=DocumentKind.choices)
    period = serializers.CharField(help_text=PERIOD_HELP)
    number = serializers.CharField()


class AccessSerializer(serializers.Serializer[Any]):
    """Somebody of the club's staff read something of the household's."""

    at = AwareDateTimeField()
    by = serializers.SerializerMethodField(help_text="Empty if they have left the club.")
    how = serializers.ChoiceField(source="kind", choices=AccessKind.choices)
    subject = serializers.ChoiceField(
        source="*", choices=SUBJECTS, help_text="What was read; other kinds may come."
    )
    document = ReadDocumentSerializer()

    def get_by(self, row: DocumentAccess) -> str:
        return str(row.user) if row.user is not None else ""

    def to_representation(self, instance: DocumentAccess) -> dict[str, Any]:
        # Views of a profile would be rows of their own with another word here.
        return {**super().to_representation(instance), "subject": "document"}
