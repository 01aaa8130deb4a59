"""What members and Finance are told of documents. Staff edit the words; these are the club's first ones."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from accounts.models import Channel
from accounts.services.messages import MessageKind, register

STATEMENT_PUBLISHED: Final = MessageKind(
    code="statement_published",
    label=_("Statement of account is ready"),
    fields={"period": "October 2026"},
    texts={
        Channel.IN_APP: (
            _("Statement for $period"),
            _("Your statement of account for $period is ready. Open it in the app."),
        ),
        Channel.EMAIL: (
            _("Your statement of account for $period"),
            _("Your statement of account for $period is ready.\n\nOpen it in the app of $club."),
        ),
    },
)
STATEMENT_CORRECTED: Final = MessageKind(
    code="statement_corrected",
    label=_("Statement of account was corrected"),
    fields={"period": "October 2026"},
    texts={
        Channel.IN_APP: (
            _("Corrected statement for $period"),
            _("Your statement of account for $period was corrected. The one in the app is the right one."),
        ),
        Channel.EMAIL: (
            _("Your corrected statement of account for $period"),
            _(
                "Your statement of account for $period was corrected.\n\n"
                "The one in the app of $club takes the place of the earlier one."
            ),
        ),
    },
)
PAPER_PUBLISHED: Final = MessageKind(
    code="document_published",
    label=_("Notice or receipt is ready"),
    fields={"kind": _("official receipt"), "number": "OR-10023", "period": "October 2026"},
    texts={
        Channel.IN_APP: (
            _("New document: $kind"),
            _("There is a new document for you, $kind $number. Open it in the app."),
        ),
        Channel.EMAIL: (
            _("A new document from $club: $kind"),
            _("There is a new document for you, $kind $number.\n\nOpen it in the app of $club."),
        ),
    },
)
ASSESSMENT_PUBLISHED: Final = MessageKind(
    code="assessment_published",
    label=_("Dues or assessment are posted"),
    fields={"description": "Annual dues", "amount": "12,000.00", "due": "31 October 2026"},
    texts={
        Channel.IN_APP: (
            _("$description"),
            _("$description of $amount was posted to your account. $due"),
        ),
        Channel.EMAIL: (
            _("$description at $club"),
            _("$description of $amount was posted to your account. $due\n\nSee your account in the app."),
        ),
    },
)
FILE_MISSING: Final = MessageKind(
    code="finance_file_missing",
    label=_("A file of Finance has not come"),
    fields={"kind": _("balances"), "period": "October 2026", "day": "8 November 2026"},
    texts={
        Channel.IN_APP: (
            _("Not here yet: $kind, $period"),
            _("$kind for $period was expected by $day and has not come. Upload it, or ask who sends it."),
        ),
        Channel.EMAIL: (
            _("Not here yet: $kind, $period"),
            _(
                "$kind for $period was expected by $day and has not come.\n\n"
                "Upload it in the back office, or ask who sends it."
            ),
        ),
    },
)


def register_kinds() -> None:
    for kind in (
        STATEMENT_PUBLISHED,
        STATEMENT_CORRECTED,
        PAPER_PUBLISHED,
        ASSESSMENT_PUBLISHED,
        FILE_MISSING,
    ):
        register(kind)
