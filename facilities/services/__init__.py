from facilities.services.club import describe_facility, save_content
from facilities.services.fit import MisfitError, require_facility_fits, require_terms_fit
from facilities.services.versions import (
    TERMS,
    DraftExistsError,
    StaleDraftError,
    discard_draft,
    edit_draft,
    mark_of,
    new_policy_version,
    publish_policy_version,
)

__all__ = [
    "TERMS",
    "DraftExistsError",
    "MisfitError",
    "StaleDraftError",
    "describe_facility",
    "discard_draft",
    "edit_draft",
    "mark_of",
    "new_policy_version",
    "publish_policy_version",
    "require_facility_fits",
    "require_terms_fit",
    "save_content",
]
