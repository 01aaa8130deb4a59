"""Every code that reading a file can end in; whoever shows one needs a sentence for each.

``REFUSALS`` concern a whole file, or one member of an archive when reading that member raises it.
``PROBLEMS`` concern one cell or row of a table, ``NOTES`` a table as a whole, which was read all the same.
"""

from __future__ import annotations

from typing import Final

ARCHIVE_REFUSALS: Final = frozenset(
    {
        "zip_damaged",  # no ZIP, or one whose directory and entries do not agree
        "zip_encrypted",
        "zip_link",  # a link, a device: no plain file
        "zip_method",  # neither stored nor deflated
        "zip_name",  # an absolute, climbing, over-long or unprintable name
        "zip_overlap",  # entries that share bytes
        "zip_prefix",  # something stands before the archive: it would be read as two kinds of file
        "zip_too_large",  # more than it may hold when unpacked
        "zip_too_many",  # entries
    }
)
# Raised by ``ArchiveMember.open`` and by reading what it gave; the other members are sound.
MEMBER_REFUSALS: Final = frozenset(
    {
        "member_checksum",
        "member_damaged",
        "member_empty",
        "member_ratio",  # unpacks to many times its size
        "member_size",  # is not as long as it says
        "member_too_large",
        "member_twice",  # another member before it has the same name
        "nested_archive",
    }
)
PDF_REFUSALS: Final = frozenset(
    {
        "not_a_pdf",
        "pdf_damaged",  # and qpdf could not repair it
        "pdf_encrypted",  # with a password to open it
        "pdf_no_pages",
        "pdf_too_complex",  # time or memory ran out
        "pdf_too_many_pages",
        "page_missing",  # a page was asked for that it does not have
        "split_unverified",  # what was cut out is not what it should be; nothing was kept
    }
)
TABLE_REFUSALS: Final = frozenset(
    {
        "columns_missing",  # a heading that must be there is not
        "columns_twice",  # two columns of the same heading
        "columns_unclear",  # what stands under the headings is something else, and no swap explains it
        "header_missing",  # no row of headings
        "not_a_table",  # neither CSV nor XLSX
        "sheets_unclear",  # two sheets have the headings
        "table_damaged",
        "table_empty",
        "table_encoding",
        "table_encrypted",
        "table_entities",  # a document type or entities in its XML
        "table_macros",
        "table_old_format",  # XLS, XLSB, ODS
        "table_too_complex",  # time or memory ran out
        "table_too_large",  # rows, columns, cells or bytes
    }
)
REFUSALS: Final = ARCHIVE_REFUSALS | MEMBER_REFUSALS | PDF_REFUSALS | TABLE_REFUSALS

PROBLEMS: Final = frozenset(
    {
        "account_mangled",  # 1.2E+11: a spreadsheet has lost digits
        "account_unclear",
        "cell_error",  # #REF! and its like
        "cell_too_long",
        "date_ambiguous",  # 05/10/2026, and nothing in the column says which is the month
        "date_unclear",
        "formula",  # values only: what a formula shows depends on who opens it
        "integer_unclear",
        "merged",  # an amount in cells that are merged over several rows
        "missing",
        "money_precision",  # more than two decimals
        "money_too_large",
        "money_unclear",
        "row_too_long",  # more cells than headings
    }
)
NOTES: Final = frozenset(
    {
        "columns_swapped",
        "decimal_comma",
        "encoding_guessed",
        "header_below",  # lines stood above the headings
        "hidden_sheet",
        "other_sheets",
        "total_differs",  # the file's own total is not the sum of its rows
    }
)
