"""Why an archive cannot be made, trusted or restored; each text is one sentence for whoever runs it."""

from __future__ import annotations


class ArchiveError(Exception):
    """What the command says, and the end of it: nothing was changed."""


class DamagedArchiveError(ArchiveError):
    """The archive is not what was written: cut short, changed, or never one of ours."""


class RefusedError(ArchiveError):
    """The archive may be sound, but not for this club, this code or this moment."""


class HalfwayError(ArchiveError):
    """Something failed and the old state could not be put back; the text says where it is kept."""


def sentence(error: ArchiveError | OSError) -> str:
    """What went wrong, as a sentence; the system's own words come without their number."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}." if error.filename else f"{error.strerror}."
    return str(error)
