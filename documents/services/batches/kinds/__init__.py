"""The eight kinds of batch, each a module that declares its mapping and how it is filed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from documents.models import BatchKind, KindRule
from documents.services.batches.kinds.assessments import Assessments
from documents.services.batches.kinds.balances import Balances
from documents.services.batches.kinds.base import Handler
from documents.services.batches.kinds.delinquency import Delinquency
from documents.services.batches.kinds.entries import Entries
from documents.services.batches.kinds.member_master import MemberMaster
from documents.services.batches.kinds.merged import StatementPdf
from documents.services.batches.kinds.separate import Papers, StatementZip

HANDLERS: Final[Mapping[BatchKind, Handler]] = {
    handler.kind: handler
    for handler in (
        StatementZip(),
        StatementPdf(),
        Balances(),
        Entries(),
        Assessments(),
        Delinquency(),
        MemberMaster(),
        Papers(),
    )
}


def handler_of(kind: str) -> Handler:
    return HANDLERS[BatchKind(kind)]


def rule_of(kind: str) -> KindRule:
    """What the club asks of a kind; the defaults where it said nothing."""
    return KindRule.objects.filter(kind=kind).first() or KindRule(kind=kind)
