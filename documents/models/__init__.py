from documents.models.account import AccountEntry, AccountRow, Assessment, EntryKind, StatementSummary
from documents.models.assets import Asset
from documents.models.batches import (
    DECISION_LABELS,
    OUTCOME_LABELS,
    STATE_LABELS,
    BatchEvent,
    BatchFile,
    BatchKind,
    BatchSource,
    ImportBatch,
    ImportItem,
    Severity,
)
from documents.models.documents import (
    AccessKind,
    Document,
    DocumentAccess,
    DocumentKind,
    Publication,
    may_see_statements,
)
from documents.models.dropped import DroppedFile
from documents.models.images import Image, ImagePurpose, ImageQuerySet, ImageVariant, MemberPhoto
from documents.models.periods import GapReason, Period, PeriodField, PeriodGap, check_period
from documents.models.settings import FileNamePattern, KindRule, PageRegion

__all__ = [
    "DECISION_LABELS",
    "OUTCOME_LABELS",
    "STATE_LABELS",
    "AccessKind",
    "AccountEntry",
    "AccountRow",
    "Assessment",
    "Asset",
    "BatchEvent",
    "BatchFile",
    "BatchKind",
    "BatchSource",
    "Document",
    "DocumentAccess",
    "DocumentKind",
    "DroppedFile",
    "EntryKind",
    "FileNamePattern",
    "GapReason",
    "Image",
    "ImagePurpose",
    "ImageQuerySet",
    "ImageVariant",
    "ImportBatch",
    "ImportItem",
    "KindRule",
    "MemberPhoto",
    "PageRegion",
    "Period",
    "PeriodField",
    "PeriodGap",
    "Publication",
    "Severity",
    "StatementSummary",
    "check_period",
    "may_see_statements",
]
