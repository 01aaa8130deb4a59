"""In a child: the objects of a PDF by qpdf. What is active in it, its repair, and the cleaning of a new file.

Apart from ``pdf_pages``: two libraries in one process take twice the memory, and this is the rare way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pikepdf

from documents.isolation.errors import Refusal

# A quick look at an object as it is written; what it finds is looked at properly.
_SUSPECT: Final = re.compile(
    rb"/(?:A|AA|AcroForm|EF|EmbeddedFiles|FileAttachment|JS|JavaScript|Next|OpenAction|RichMedia\w*|XFA)(?![A-Za-z])"
)
_QUIET_ACTIONS: Final = frozenset({"/GoTo", "/URI", "/Named"})
# Of a page that is filed, what is not its picture.
_KEPT_OF_A_PAGE: Final = frozenset(
    {"/Type", "/Parent", "/Contents", "/Resources", "/MediaBox", "/CropBox", "/Rotate", "/UserUnit", "/Group"}
)
_DROPPED_ANYWHERE: Final = frozenset(
    {"/AA", "/AF", "/Annots", "/EF", "/JS", "/Metadata", "/OPI", "/OpenAction", "/PieceInfo", "/Ref", "/URI"}
)
_DEEPEST: Final = 60


def work(*, action: str, **arguments: Any) -> Any:
    """``facts``, ``repair`` or ``clean``: one function for the child to run."""
    actions: dict[str, Any] = {"facts": facts, "repair": repair, "clean": clean}
    return actions[action](**arguments)


def facts(*, path: str) -> dict[str, Any]:
    """What is active in the file; ``is_broken`` where only a repair opens it."""
    try:
        with _opened(path, attempt_recovery=False) as pdf:
            return {"is_broken": False, **_facts(pdf)}
    except Refusal as refusal:
        if refusal.code != "pdf_damaged":
            raise
    with _opened(path, attempt_recovery=True) as pdf:
        return {"is_broken": True, **_facts(pdf)}


def repair(*, path: str) -> str:
    """The name of a sound file in the working folder, made of what is left of this one."""
    with _opened(path, attempt_recovery=True) as pdf:
        if not len(pdf.pages):
            raise Refusal("pdf_no_pages")
        pdf.save("repaired.pdf")
    return "repaired.pdf"


def clean(*, name: str) -> str:
    """A file in the working folder without anything but its pages' pictures, beside it, under a new name."""
    made = f"clean-{name}"
    with _opened(name, attempt_recovery=False) as pdf:
        for key in list(pdf.Root.keys()):
            if key not in ("/Type", "/Pages"):
                del pdf.Root[key]
        for page in pdf.pages:
            for key in list(page.obj.keys()):
                if key not in _KEPT_OF_A_PAGE:
                    del page.obj[key]
        pdf.remove_unreferenced_resources()
        for held in pdf.objects:
            _drop(held, 0)
        if "/Info" in pdf.trailer:
            del pdf.trailer["/Info"]
        pdf.save(
            made, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.disable, linearize=False
        )
    with _opened(made, attempt_recovery=False) as pdf:
        found = _facts(pdf)
        if found["has_scripts"] or found["has_attachments"] or found["has_forms"]:
            raise Refusal("split_unverified", "something active is left")
    return made


def _facts(pdf: pikepdf.Pdf) -> dict[str, Any]:
    found = {"has_scripts": False, "has_attachments": False, "has_forms": False}
    for held in pdf.objects:
        entries = _entries_of(held)
        if entries is not None and _SUSPECT.search(entries.unparse(resolved=True)):
            _look(entries, found, 0)
    return {"pages": len(pdf.pages), **found}


def _entries_of(held: Any) -> Any:
    """The dictionary or array that an object is, or that stands before a stream; else None."""
    if isinstance(held, pikepdf.Stream):
        return held.stream_dict
    return held if isinstance(held, pikepdf.Dictionary | pikepdf.Array) else None


def _look(held: Any, found: dict[str, bool], depth: int) -> None:
    """Note what is active in an object and in what is written inside of it; references come by themselves."""
    if depth > _DEEPEST:
        raise Refusal("pdf_damaged", "nested too deeply")
    if isinstance(held, pikepdf.Array):
        for inner in held:
            if isinstance(inner, pikepdf.Dictionary | pikepdf.Array) and not inner.is_indirect:
                _look(inner, found, depth + 1)
        return
    for key, value in held.items():
        if key in ("/JS", "/JavaScript", "/AA"):
            found["has_scripts"] = True
        elif key in ("/A", "/Next", "/OpenAction") and isinstance(value, pikepdf.Dictionary):
            kind = value.get("/S")
            # A dictionary without a kind is none, but /A is also a key of other things.
            if kind is not None and str(kind) not in _QUIET_ACTIONS:
                found["has_scripts"] = True
        elif key in ("/EF", "/EmbeddedFiles") or (
            key == "/Subtype" and str(value) in ("/FileAttachment", "/RichMedia")
        ):
            found["has_attachments"] = True
        elif key == "/XFA" or (key == "/AcroForm" and isinstance(value, pikepdf.Dictionary)):
            found["has_forms"] = True
        if isinstance(value, pikepdf.Dictionary | pikepdf.Array) and not value.is_indirect:
            _look(value, found, depth + 1)


def _drop(held: Any, depth: int) -> None:
    entries = _entries_of(held)
    if entries is None:
        return
    if depth > _DEEPEST:
        raise Refusal("pdf_damaged", "nested too deeply")
    if isinstance(entries, pikepdf.Dictionary):
        for key in _DROPPED_ANYWHERE & set(entries.keys()):
            del entries[key]
        inside: Any = [value for _key, value in entries.items()]
    else:
        inside = list(entries)
    for value in inside:
        if isinstance(value, pikepdf.Dictionary | pikepdf.Array) and not value.is_indirect:
            _drop(value, depth + 1)


@contextmanager
def _opened(path: str, *, attempt_recovery: bool) -> Iterator[pikepdf.Pdf]:
    try:
        with pikepdf.open(path, attempt_recovery=attempt_recovery, suppress_warnings=True) as pdf:
            yield pdf
    except pikepdf.PasswordError as error:
        raise Refusal("pdf_encrypted") from error
    except (pikepdf.PdfError, RecursionError, ValueError, TypeError, KeyError, IndexError) as error:
        # qpdf throws the first; the others are pikepdf's at objects that are not what they should be.
        raise Refusal("pdf_damaged", f"{type(error).__name__}: {error}") from error
