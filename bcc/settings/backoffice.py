"""The headings of the back office, and the pages under each in the order shown.

By ``app.model``; ``app.*`` is every page of the app that is named nowhere.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

BACKOFFICE_SECTIONS = [
    (
        "bookings",
        _("Bookings"),
        [
            "reservations.today",
            "reservations.reservation",
            "facilities.closure",
            "reservations.guest",
            "reservations.*",
        ],
    ),
    (
        "people",
        _("Members"),
        [
            "accounts.member",
            "accounts.membership",
            "accounts.accountimport",
            "accounts.privilegehold",
            "accounts.membershipcategory",
            "accounts.deletionrequest",
            "accounts.privacynotice",
            "accounts.recordread",
            "accounts.memberview",
        ],
    ),
    (
        "facilities",
        _("Facilities"),
        [
            "facilities.facility",
            "facilities.space",
            "facilities.openingperiod",
            "facilities.holiday",
            "facilities.rate",
            "facilities.*",
        ],
    ),
    (
        "rules",
        _("Rules of booking"),
        [
            "facilities.reservationpolicy",
            "facilities.policyversion",
            "facilities.quotarule",
            "facilities.primetime",
            "facilities.strikerule",
        ],
    ),
    (
        "content",
        _("What members read"),
        [
            "facilities.announcement",
            "facilities.event",
            "facilities.promo",
            "facilities.outlet",
            "facilities.contact",
            "facilities.faq",
            "facilities.clubrule",
            "documents.image",
        ],
    ),
    (
        "documents",
        _("Statements and documents"),
        [
            "documents.importbatch",
            "documents.period",
            "documents.statementsummary",
            "documents.accountentry",
            "documents.assessment",
            "documents.*",
        ],
    ),
    (
        "finance",
        _("How Finance's files are read"),
        ["documents.kindrule", "documents.filenamepattern", "documents.pageregion"],
    ),
    (
        "chat",
        _("Chat"),
        [
            "chat.console",
            "chat.messagereport",
            "chat.heldmessage",
            "chat.desk",
            "chat.cannedreply",
            "chat.heldword",
            "chat.chatsettings",
            "chat.retentionrule",
            "chat.*",
        ],
    ),
    (
        "messages",
        _("Messages"),
        ["accounts.staffmessage", "accounts.messagetemplate", "accounts.notification", "accounts.smsuse"],
    ),
    ("reports", _("Reports"), ["metrics.occupancy", "metrics.*"]),
    (
        "access",
        _("Staff and sign-in"),
        [
            "accounts.user",
            "auth.group",
            "accounts.device",
            "accounts.session",
            "otp_totp.totpdevice",
            "otp_static.staticdevice",
            "accounts.*",
        ],
    ),
    (
        "system",
        _("System"),
        [
            "auditlog.logentry",
            "chat.connection",
            "metrics.jobrun",
            "metrics.activity",
            "django_celery_beat.periodictask",
            "django_celery_beat.*",
        ],
    ),
]
