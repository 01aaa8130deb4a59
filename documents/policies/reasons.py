"""Why an item or a file is not filed: each code with its sentence, for whoever has to act on it.

Codes of the parsers are here too; a test holds this table to theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise

# The items with these are no error: what they bring is there already.
DUPLICATES: Final = frozenset({"already_filed", "duplicate_in_batch", "no_change"})

ITEMS: Final[Mapping[str, Text]] = {
    "absent": _("Not on the list any more. Tick it to give the household its good standing back."),
    "already_filed": _("The very same is published already. There is nothing to do."),
    "ambiguous_account": _("Two memberships have this account number but for its spelling. Choose one."),
    "changed_since": _("It was changed after it was checked. Read the batch again."),
    "cover_page": _("Pages that belong to no account: a cover or a separator. They are left out."),
    "does_not_add_up": _(
        "Previous balance, charges and payments do not give the amount due. Correct the row."
    ),
    "duplicate_in_batch": _("The same again within this batch. The first one counts."),
    "filed_elsewhere": _("The very same file is published under another month. Look at the month on it."),
    "item_unknown": _("The row says it corrects an item that does not wait for it. Look at the Item column."),
    "membership_ended": _("The membership ended before this month. Accept it if a last statement is due."),
    "name_unread": _("No pattern fits this file name. Give it to an account, or mend the patterns."),
    "no_account": _("No account number was found. Give it to an account, or mend the page regions."),
    "no_change": _("This is what the club has already. There is nothing to do."),
    "no_text": _("The page is a picture without text. Look at it, and give it to an account."),
    "not_master": _("The member's data are refused. Correct the row."),
    "older_version": _(
        "An earlier version came again, in place of the newer one. Accept it only on purpose."
    ),
    "other_account": _("Another account stands on the page than the one it goes to. Look at it."),
    "other_version": _("Something else is published for the same. Accept it to put this in its place."),
    "outlier": _("Far more than is usual for this account. Compare it with the original."),
    "over_limit": _("More than the limit of this kind. Compare it with the original."),
    "pdf_active": _(
        "The PDF holds scripts, forms or attachments. Accept it to file a clean copy without them."
    ),
    "replaced": _("A corrected row took its place."),
    "rolled_back": _("It was published and rolled back."),
    "standing_worse": _("The household is suspended already. Accept it to make it delinquent instead."),
    "twice_in_batch": _(
        "This account stands in the batch more than once, with different contents. Keep one."
    ),
    "unknown_account": _("The club has no such account. Give it to an account, or discard it."),
    "wrong_period": _("The file name says another month than the batch. Look at the month on it."),
}

FILES: Final[Mapping[str, Text]] = {
    "child_failed": _("The file could not be read: it takes too long or too much memory. Save it anew."),
    "columns_missing": _("A column is missing. Add it with its heading and send the file again."),
    "columns_twice": _("Two columns have the same heading. Remove one and send the file again."),
    "columns_unclear": _("The columns hold something else than their headings say. Put them right."),
    "header_missing": _("There is no row of headings. Add one and send the file again."),
    "member_checksum": _("This file of the archive is damaged. Make the archive again."),
    "member_damaged": _("This file of the archive is damaged. Make the archive again."),
    "member_empty": _("This file of the archive is empty."),
    "member_ratio": _("This file of the archive unpacks to far too much. It was left out."),
    "member_size": _("This file of the archive is not as long as it says. Make the archive again."),
    "member_too_large": _("This file of the archive is too large."),
    "member_twice": _("Two files of the archive have the same name. Name them differently."),
    "nested_archive": _("An archive within the archive. Put its files into the outer one."),
    "not_a_pdf": _("This is no PDF, whatever its name says."),
    "not_a_table": _("This is neither CSV nor XLSX. Save it as one of them."),
    "page_missing": _("The PDF has fewer pages than it says. Save it anew."),
    "pdf_damaged": _("The PDF is damaged. Ask for it again."),
    "pdf_encrypted": _("The PDF asks for a password. Save it without one."),
    "pdf_no_pages": _("The PDF has no pages."),
    "pdf_too_complex": _("The PDF takes too long or too much memory to read. Save it anew."),
    "pdf_too_many_pages": _("The PDF has too many pages. Send it in parts."),
    "sheets_unclear": _("Two sheets have the headings. Leave one in the file."),
    "split_unverified": _(
        "The pages cut out are not what they should be, so nothing was kept. Save it anew."
    ),
    "table_damaged": _("The spreadsheet is damaged. Save it anew."),
    "table_empty": _("The spreadsheet has no rows."),
    "table_encoding": _("The letters of the file cannot be read. Save it as CSV in UTF-8, or as XLSX."),
    "table_encrypted": _("The spreadsheet asks for a password. Save it without one."),
    "table_entities": _("The spreadsheet holds what no spreadsheet needs, and is refused. Save it anew."),
    "table_macros": _("The spreadsheet holds macros. Save it as XLSX without them."),
    "table_old_format": _("This is an old or foreign format. Save it as XLSX or CSV."),
    "table_too_complex": _("The spreadsheet takes too long or too much memory to read. Send it in parts."),
    "table_too_large": _("The spreadsheet is too large. Send it in parts."),
    "unexpected": _(
        "Something unforeseen happened; the log has it. Try again, and call for help if it stays."
    ),
    "wrong_kind": _(
        "This file is not of the kind that was chosen. Reject the batch and choose another kind."
    ),
    "zip_damaged": _("The archive is damaged, or no ZIP. Make it again."),
    "zip_encrypted": _("The archive asks for a password. Make it without one."),
    "zip_link": _("The archive holds links, which are refused. Make it again from plain files."),
    "zip_method": _("The archive is packed in an unusual way. Make it again as a plain ZIP."),
    "zip_name": _("The archive holds a file name that leads elsewhere. It is refused."),
    "zip_overlap": _("The archive is made to deceive, and is refused."),
    "zip_prefix": _("Something stands before the archive, and it is refused. Make it again."),
    "zip_too_large": _("The archive unpacks to too much. Send it in parts."),
    "zip_too_many": _("The archive holds too many files. Send it in parts."),
}

CELLS: Final[Mapping[str, Text]] = {
    "account_mangled": _("The spreadsheet has lost digits of the account number. Format the column as text."),
    "account_unclear": _("This is no account number."),
    "cell_error": _("The cell holds an error of the spreadsheet. Put the value there."),
    "cell_too_long": _("The text is too long."),
    "date_ambiguous": _("Day and month cannot be told apart. Write the date as 2026-10-05."),
    "date_unclear": _("This is no date. Write it as 2026-10-05."),
    "formula": _("The cell holds a formula. Put its value there."),
    "integer_unclear": _("This is no whole number."),
    "merged": _("The amount stands in merged cells. Give each row its own."),
    "missing": _("A value is missing."),
    "money_precision": _("More than two decimals. Round the amount."),
    "money_too_large": _("The amount is too large to be true."),
    "money_unclear": _("This is no amount."),
    "row_too_long": _("The row has more cells than there are headings."),
}

NOTES: Final[Mapping[str, Text]] = {
    "columns_swapped": _("Two columns were swapped; they were told apart by what they hold."),
    "decimal_comma": _("Amounts are written with a decimal comma, and were read so."),
    "encoding_guessed": _(
        "The letters were read as the usual ones of an older spreadsheet. Look at the names."
    ),
    "header_below": _("Lines stood above the headings, and were left out."),
    "hidden_sheet": _("The file has a hidden sheet, which was not read."),
    "other_sheets": _("The file has other sheets, which were not read."),
    "total_differs": _(
        "The total in the file is not the sum of its rows. Compare it with the control total."
    ),
}

SENTENCES: Final[Mapping[str, Text]] = {**ITEMS, **FILES, **CELLS, **NOTES}


def sentence(code: str) -> Text:
    """What a code says; empty for none."""
    return SENTENCES.get(code, code)
