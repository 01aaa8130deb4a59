"""The back office of documents."""

from documents.admin.accounts import AccountEntryAdmin, AssessmentAdmin, StatementSummaryAdmin
from documents.admin.batches import ImportBatchAdmin
from documents.admin.items import ImportItemAdmin
from documents.admin.periods import PeriodAdmin
from documents.admin.rules import FileNamePatternAdmin, KindRuleAdmin, PageRegionAdmin

__all__ = [
    "AccountEntryAdmin",
    "AssessmentAdmin",
    "FileNamePatternAdmin",
    "ImportBatchAdmin",
    "ImportItemAdmin",
    "KindRuleAdmin",
    "PageRegionAdmin",
    "PeriodAdmin",
    "StatementSummaryAdmin",
]
