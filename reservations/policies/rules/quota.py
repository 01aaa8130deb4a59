from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import ClassVar, get_args

from django.utils.translation import gettext as _

from bcc.core.errors import RuleFailure
from facilities.policies.terms import Measure
from reservations.policies import quotas
from reservations.policies.ask import Ask

MEASURES = frozenset(get_args(Measure))


class QuotaLimitRule:
    """Every quota that speaks about the wish; a refusal names each that it would exceed.

    One that the wish uses nothing of does not refuse it, however much of it is used already.
    """

    code: ClassVar[str] = "quota_exceeded"

    def __init__(self, measures: Collection[str] = MEASURES) -> None:
        self.measures = measures

    def judge(self, ask: Ask) -> Iterator[RuleFailure]:
        for quota in ask.quotas:
            wanted = quotas.wanted(quota, ask)
            if not wanted or quota.measure not in self.measures or not quotas.applies(quota, ask):
                continue
            used = quotas.count(quota, ask)
            if used + wanted > quota.limit:
                yield RuleFailure(
                    self.code,
                    _("%(name)s: at most %(limit)d, %(used)d used. Choose another time or cancel one.")
                    % {"name": quota.name, "limit": quota.limit, "used": used},
                    limit=quota.limit,
                    current=used,
                    retry_at=quotas.frees_at(quota, ask),
                )
