"""Files that somebody made to break their reader, each by a name and made when asked for."""

from __future__ import annotations

import io
import random
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import openpyxl
import pikepdf

from tests.documents.corpus import statements
from tests.documents.corpus.people import Account, accounts

Maker = Callable[[], bytes]
_BIG: Final = 1024**3


def account() -> Account:
    return accounts(1, random.Random(1))[0]


def statement() -> bytes:
    """A sound PDF of D-0001."""
    return statements.single(account())


# ------------------------------------------------------------------------------------------------ ZIP


def zip_of(*files: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return made.getvalue()


def _renamed(name: bytes) -> bytes:
    """An archive whose one entry is called ``name`` in both places."""
    place = b"p" * len(name)
    return zip_of((place.decode(), b"%PDF-1.4")).replace(place, name)


def _link() -> bytes:
    entry = zipfile.ZipInfo("SOA.pdf")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return zip_of((entry, b"/etc/passwd"))


def _zeros(size: int) -> bytes:
    """``size`` zeros, deflated without a header, faster than by deflating them."""
    step = 16 * 1024 * 1024
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(b"\0" * step) + packer.flush(zlib.Z_FULL_FLUSH)
    return block * (size // step) + packer.flush()


def _entry(name: bytes, packed: bytes, size: int, crc: int, *, offset: int = 0) -> tuple[bytes, bytes]:
    """(a local entry with its bytes, its line of the directory)."""
    about = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, crc, len(packed), size, len(name), 0)
    local = b"PK\x03\x04" + about + name + packed
    line = b"PK\x01\x02" + struct.pack("<H", 20) + about + struct.pack("<HHHII", 0, 0, 0, 0, offset) + name
    return local, line


def _archive(*entries: tuple[bytes, bytes]) -> bytes:
    body = b"".join(local for local, _line in entries)
    lines = b"".join(line for _local, line in entries)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, len(entries), len(entries), len(lines), len(body), 0)
    return body + lines + end


def _bomb(*, told: int) -> bytes:
    return _archive(_entry(b"SOA.pdf", _zeros(_BIG), told, 0))


def _overlap() -> bytes:
    local, line = _entry(b"a.pdf", zlib.compress(b"x" * 100)[2:-4], 100, zlib.crc32(b"x" * 100))
    return _archive((local, line), (b"", line))


def _many(count: int) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for number in range(count):
            archive.writestr(zipfile.ZipInfo(f"{number}.pdf"), b"")
    return made.getvalue()


def _sized(told: int) -> bytes:
    content = b"%PDF-1.4 " + bytes(range(256)) * 8
    return _archive(
        _entry(b"SOA.pdf", zlib.compress(content)[2:-4], len(content) + told, zlib.crc32(content))
    )


def _two_names() -> bytes:
    made = zip_of(("good.pdf", b"%PDF-1.4"))
    return made[:30] + b"evil.pdf" + made[38:]


def _encrypted_zip() -> bytes:
    made = bytearray(zip_of(("SOA.pdf", b"%PDF-1.4")))
    made[6] |= 1
    made[made.index(b"PK\x01\x02") + 8] |= 1
    return bytes(made)


def _bad_checksum() -> bytes:
    content = b"%PDF-1.4 a statement"
    return _archive(_entry(b"SOA.pdf", zlib.compress(content)[2:-4], len(content), 12345))


ZIPS: Final[dict[str, tuple[str, Maker]]] = {
    "climbs out": ("zip_name", lambda: zip_of(("../../evil.pdf", b"%PDF"))),
    "climbs out, the other slash": ("zip_name", lambda: zip_of(("..\\..\\evil.pdf", b"%PDF"))),
    "absolute": ("zip_name", lambda: zip_of(("/etc/cron.d/evil", b"%PDF"))),
    "of another drive": ("zip_name", lambda: zip_of(("C:\\evil.pdf", b"%PDF"))),
    "a name with NUL": ("zip_name", lambda: _renamed(b"SOA.pdf\0.exe")),
    "a name with a line end": ("zip_name", lambda: _renamed(b"SOA\r\nX: y.pdf")),
    "a name that turns the text around": ("zip_name", lambda: zip_of(("SOA\u202efdp.exe", b"%PDF"))),
    "a very long name": ("zip_name", lambda: zip_of(("x" * 5_000 + ".pdf", b"%PDF"))),
    "a link": ("zip_link", _link),
    "a gigabyte in a megabyte": ("member_too_large", lambda: _bomb(told=_BIG)),
    "a gigabyte that says a kilobyte": ("member_size", lambda: _bomb(told=1_000)),
    "forty megabytes of nothing": (
        "member_ratio",
        lambda: _archive(_entry(b"SOA.pdf", _zeros(48 * 1024**2), 48 * 1024**2, 0)),
    ),
    "entries that share bytes": ("zip_overlap", _overlap),
    "70,000 entries": ("zip_too_many", lambda: _many(70_000)),
    "an archive in it": ("nested_archive", lambda: zip_of(("more.zip", zip_of(("a.pdf", b"%PDF"))))),
    "an archive called PDF": ("nested_archive", lambda: zip_of(("SOA.pdf", zip_of(("a.pdf", b"%PDF"))))),
    "says more than it has": ("member_size", lambda: _sized(100)),
    "says less than it has": ("member_size", lambda: _sized(-100)),
    "another checksum": ("member_checksum", _bad_checksum),
    "another name at its place": ("zip_damaged", _two_names),
    "with a password": ("zip_encrypted", _encrypted_zip),
    "packed by bzip2": ("zip_method", lambda: zip_of(("SOA.pdf", b"%PDF"), method=zipfile.ZIP_BZIP2)),
    "a PDF and a ZIP at once": (
        "zip_prefix",
        lambda: statement() + zip_of(("SOA.pdf", b"%PDF")),
    ),
    "with something behind it": ("zip_damaged", lambda: zip_of(("SOA.pdf", b"%PDF")) + b"<script>"),
    "half of it": ("zip_damaged", lambda: zip_of(("SOA.pdf", bytes(range(256)) * 99))[:300]),
    "no ZIP": ("zip_damaged", lambda: b"PK\x03\x04" + b"x" * 200),
    "nothing at all": ("zip_damaged", lambda: b""),
    "the same name twice": (
        "member_twice",
        lambda: _archive(*_twice()),
    ),
    "an empty file": ("member_empty", lambda: zip_of(("SOA.pdf", b""))),
}


def _twice() -> list[tuple[bytes, bytes]]:
    content = b"%PDF-1.4 a statement"
    packed = zlib.compress(content)[2:-4]
    first = _entry(b"SOA.pdf", packed, len(content), zlib.crc32(content))
    return [first, _entry(b"SOA.pdf", packed, len(content), zlib.crc32(content), offset=len(first[0]))]


# ------------------------------------------------------------------------------------------------ PDF


def _saved(change: Callable[[pikepdf.Pdf], object], **how: Any) -> bytes:
    made = io.BytesIO()
    with pikepdf.open(io.BytesIO(statement())) as pdf:
        change(pdf)
        pdf.save(made, **how)
    return made.getvalue()


def _script(pdf: pikepdf.Pdf) -> Any:
    return pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS="app.alert('hello')")


def opens_a_script(pdf: pikepdf.Pdf) -> None:
    pdf.Root.OpenAction = _script(pdf)


def launches(pdf: pikepdf.Pdf) -> None:
    action = pikepdf.Dictionary(S=pikepdf.Name.Launch, F="cmd.exe")
    _annotate(pdf, Subtype=pikepdf.Name.Link, A=action)


def runs_on_its_page(pdf: pikepdf.Pdf) -> None:
    pdf.pages[0].obj.AA = pikepdf.Dictionary(O=_script(pdf))


def attaches(pdf: pikepdf.Pdf) -> None:
    pdf.attachments["evil.exe"] = b"MZ evil"


def attaches_as_a_note(pdf: pikepdf.Pdf) -> None:
    file = pdf.make_indirect(
        pikepdf.Dictionary(
            Type=pikepdf.Name.Filespec, F="evil.exe", EF=pikepdf.Dictionary(F=pdf.make_stream(b"MZ evil"))
        )
    )
    _annotate(pdf, Subtype=pikepdf.Name.FileAttachment, FS=file)


def asks(pdf: pikepdf.Pdf) -> None:
    field = _annotate(pdf, Subtype=pikepdf.Name.Widget, FT=pikepdf.Name.Tx, T="x", AA=_script(pdf))
    pdf.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array([field]))


def names_a_script(pdf: pikepdf.Pdf) -> None:
    names = pikepdf.Dictionary(Names=pikepdf.Array(["x", pdf.make_indirect(_script(pdf))]))
    pdf.Root.Names = pikepdf.Dictionary(JavaScript=names)


def _annotate(pdf: pikepdf.Pdf, **about: Any) -> Any:
    note = pdf.make_indirect(
        pikepdf.Dictionary(Type=pikepdf.Name.Annot, Rect=pikepdf.Array([0, 0, 200, 200]), **about)
    )
    pdf.pages[0].obj.Annots = pikepdf.Array([note])
    return note


ACTIVE: Final = {
    "opens a script": opens_a_script,
    "launches a program": launches,
    "runs a script on its page": runs_on_its_page,
    "has a file with it": attaches,
    "has a file pinned to its page": attaches_as_a_note,
    "has a form": asks,
    "names a script": names_a_script,
}


def active(name: str) -> bytes:
    return _saved(ACTIVE[name])


def with_password(user: str) -> bytes:
    encryption = pikepdf.Encryption(owner="owner", user=user, R=6)
    return _saved(lambda _pdf: None, encryption=encryption)


def without_its_table() -> bytes:
    """Of its cross references nothing is right: it needs repair."""
    made = statement()
    at = made.rindex(b"xref\n", 0, made.rindex(b"startxref"))
    return made[:at] + made[at:].replace(b"00000 n", b"00009 x").replace(b"startxref\n", b"startxref\n9")


def _objects(*bodies: bytes) -> bytes:
    made, places = b"%PDF-1.7\n", []
    for number, body in enumerate(bodies, start=1):
        places.append(len(made))
        made += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1)
    tail = b"trailer\n<</Root 1 0 R/Size %d>>\nstartxref\n%d\n%%%%EOF" % (len(bodies) + 1, len(made))
    return made + head + table + tail


_ROOT: Final = b"<</Type/Catalog/Pages 2 0 R>>"


def _page_of(content: bytes, more: bytes = b"", *others: bytes) -> bytes:
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R" + more + b">>"
    return _objects(_ROOT, b"<</Type/Pages/Kids[3 0 R]/Count 1>>", page, content, *others)


def _stream(packed: bytes) -> bytes:
    return b"<</Length %d/Filter/FlateDecode>>stream\n%b\nendstream" % (len(packed), packed)


def _big_page() -> bytes:
    packer = zlib.compressobj(9)
    step = packer.compress(b"0 0 m 1 1 l S\n" * 1_200_000) + packer.flush(zlib.Z_FULL_FLUSH)
    body = step[2:] * 64
    return _page_of(_stream(step[:2] + body + packer.flush()))


def _form_in_itself() -> bytes:
    form = (
        b"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</F 5 0 R>>>>/Length 9>>"
        b"stream\n/F Do /F \nendstream"
    )
    return _page_of(b"<</Length 5>>stream\n/F Do\nendstream", b"/Resources<</XObject<</F 5 0 R>>>>", form)


_PDF: Final = frozenset({"pdf_damaged", "pdf_no_pages", "pdf_too_complex", "pdf_too_many_pages"})
PDFS: Final[dict[str, tuple[frozenset[str], Maker]]] = {
    "with a password": (frozenset({"pdf_encrypted"}), lambda: with_password("secret")),
    "half of it": (_PDF, lambda: statement()[:9_000]),
    "its head alone": (_PDF, lambda: b"%PDF-1.7\n"),
    "no PDF": (frozenset({"not_a_pdf"}), lambda: b"<html>%PDF</html>"),
    "nothing at all": (frozenset({"not_a_pdf"}), lambda: b""),
    "noise": (_PDF, lambda: b"%PDF-1.7\n" + bytes(range(256)) * 400),
    "without pages": (_PDF, lambda: _objects(_ROOT, b"<</Type/Pages/Kids[]/Count 0>>")),
    "pages without end": (_PDF, lambda: _objects(_ROOT, b"<</Type/Pages/Kids[2 0 R]/Count 3>>")),
    "says a milliard of pages": (_PDF, lambda: _objects(_ROOT, b"<</Type/Pages/Kids[]/Count 999999999>>")),
    "nested without end": (_PDF, lambda: _objects(_ROOT, b"[" * 100_000 + b"]" * 100_000)),
    "a gigabyte on its page": (_PDF | {""}, _big_page),
    "a form in itself": (_PDF | {""}, _form_in_itself),
}

# ---------------------------------------------------------------------------------------------- tables

_TITLES: Final = ("Account No.", "Amount")
_NS: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def xlsx(*rows: tuple[Any, ...]) -> bytes:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    for row in (_TITLES, *rows):
        page.append(row)
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def with_part(name: str, content: bytes) -> bytes:
    """A sound workbook with one part put in the place of another, or added."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(xlsx(("D-0001", 5)))) as old,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for one in old.namelist():
            if one != name:
                new.writestr(one, old.read(one))
        new.writestr(name, content)
    return made.getvalue()


_SHEET: Final = "xl/worksheets/sheet1.xml"


def sheet(cells: str, *, before: str = "") -> bytes:
    body = f'<worksheet xmlns="{_NS}"><sheetData>{cells}</sheetData></worksheet>'
    return f'<?xml version="1.0"?>{before}{body}'.encode()


def _laughs() -> bytes:
    kinds = ['<!ENTITY a0 "ha">']
    kinds += [f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)]
    return with_part(
        _SHEET,
        sheet(
            '<row r="1"><c r="A1" t="inlineStr"><is><t>&a9;</t></is></c></row>',
            before=f"<!DOCTYPE x [{''.join(kinds)}]>",
        ),
    )


def _outside() -> bytes:
    return with_part(
        "xl/sharedStrings.xml",
        b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><sst xmlns="%b"><si><t>&f;</t></si></sst>'
        % _NS.encode(),
    )


def _far_cell() -> bytes:
    return with_part(
        _SHEET,
        sheet('<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'),
    )


def _many_cells() -> bytes:
    row = "".join(f"<c><v>{number}</v></c>" for number in range(60))
    return with_part(_SHEET, sheet(f"<row>{row}</row>" * 20_000))


def _many_rows() -> bytes:
    return with_part(_SHEET, sheet("<row><c><v>1</v></c></row>" * 60_000))


def _many_columns() -> bytes:
    return with_part(_SHEET, sheet("<row>" + "<c><v>1</v></c>" * 300 + "</row>"))


def _sheet_of_zeros() -> bytes:
    """A gigabyte of blanks as a sheet."""
    blanks = _zeros(_BIG)
    return _archive(_entry(b"xl/workbook.xml", b"\x03\0", 0, 0), _entry(_SHEET.encode(), blanks, _BIG, 0))


def _ole(*, encrypted: bool) -> bytes:
    word = "EncryptedPackage" if encrypted else "Workbook"
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504 + word.encode("utf-16-le") + b"\0" * 512


def _csv(*lines: str) -> bytes:
    return "\r\n".join((",".join(_TITLES), *lines)).encode()


TABLES: Final[dict[str, tuple[frozenset[str], Maker]]] = {
    "entities of entities": (frozenset({"table_entities"}), _laughs),
    "an entity of another file": (frozenset({"table_entities"}), _outside),
    "a cell far away": (frozenset({"table_too_large"}), _far_cell),
    "a million cells": (frozenset({"table_too_large"}), _many_cells),
    "60,000 rows": (frozenset({"table_too_large"}), _many_rows),
    "300 columns": (frozenset({"table_too_large"}), _many_columns),
    "a gigabyte as a sheet": (frozenset({"table_too_large", "table_damaged"}), _sheet_of_zeros),
    "macros": (frozenset({"table_macros"}), lambda: with_part("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0")),
    "broken XML": (frozenset({"table_damaged"}), lambda: with_part(_SHEET, b"<worksheet><sheetData>")),
    "a binary workbook": (frozenset({"table_old_format"}), lambda: zip_of(("xl/workbook.bin", b"x"))),
    "an OpenDocument": (frozenset({"table_old_format"}), lambda: zip_of(("content.xml", b"<x/>"))),
    "no workbook in it": (frozenset({"not_a_table"}), lambda: zip_of(("read.me", b"<x/>"))),
    "a workbook with a password": (frozenset({"table_encrypted"}), lambda: _ole(encrypted=True)),
    "an old workbook": (frozenset({"table_old_format"}), lambda: _ole(encrypted=False)),
    "half a workbook": (frozenset({"table_damaged"}), lambda: xlsx(("D-0001", 5))[:2_000]),
    "a PDF": (frozenset({"not_a_table"}), statement),
    "a picture": (frozenset({"not_a_table"}), lambda: b"\x89PNG\r\n\x1a\n" + bytes(200)),
    "bytes": (frozenset({"not_a_table", "table_encoding"}), lambda: bytes(range(256)) * 40),
    "nothing at all": (frozenset({"table_empty"}), lambda: b""),
    "headings alone": (frozenset({"table_empty"}), _csv),
    "no headings": (frozenset({"header_missing"}), lambda: b"D-0001,5\r\nD-0002,6\r\n"),
    "a heading missing": (frozenset({"columns_missing"}), lambda: b"Account No.,Total\r\nD-0001,6\r\n"),
    "a heading twice": (
        frozenset({"columns_twice"}),
        lambda: b"Account No.,Amount,AMOUNT\r\nD-0001,6,7\r\n",
    ),
    "words for amounts": (
        frozenset({"columns_unclear"}),
        lambda: _csv("D-0001,much", "D-0002,more", "D-0003,most"),
    ),
    "a quotation without end": (frozenset({"table_damaged"}), lambda: _csv('"D-0001,5', "D-0002,6")),
    "a cell of three megabytes": (frozenset({"table_damaged"}), lambda: _csv("D-0001," + "5" * 3_000_000)),
    "rows without end": (frozenset({"table_too_large"}), lambda: _csv(*["D-0001,5"] * 60_000)),
    "a row of 100,000 cells": (frozenset({"table_too_large"}), lambda: _csv("D-0001,5" + "," * 100_000)),
}


def write(content: bytes, folder: Path, name: str) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path
