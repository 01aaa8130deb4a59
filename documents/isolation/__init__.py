"""Work on files that nobody trusts: in a child of little memory, little time, and no secrets.

A decoder is a large program that reads what a stranger wrote. Here it runs beside the server, not in it:
the child has no Django, no database, no environment of ours, an address space and a processor time of so
much and not more, and a scratch folder that is removed afterwards. What it says is JSON, never a pickle;
what it makes are files in the scratch folder.
"""

from documents.isolation.errors import ChildFailedError, Refusal
from documents.isolation.parent import Child, Limits, once

__all__ = ["Child", "ChildFailedError", "Limits", "Refusal", "once"]
