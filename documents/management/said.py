"""What the commands of Finance's batches print."""

from __future__ import annotations

from django.core.management.base import CommandError, OutputWrapper

from accounts.models import User
from accounts.selectors.people import find_user
from bcc.core.actors import Actor
from documents.models import ImportBatch
from documents.policies.reasons import sentence
from documents.selectors.batches import counts_of


def say_batch(out: OutputWrapper, batch: ImportBatch) -> None:
    """A batch, how its items stand, and why those wait that do."""
    counts = counts_of(batch)
    out.write(f"{batch.public_id}  {batch.get_kind_display()}  {batch.period or '-'}  {batch.title}")
    trial = "  (trial: nothing is published)" if batch.is_trial else ""
    out.write(f"  {batch.get_state_display()}{trial}")
    if batch.failure_code:
        out.write(f"  {batch.failure_detail}")
    out.write(
        f"  {counts.total} items: {counts.open} to publish, {counts.filed} filed, "
        f"{counts.quarantined} in quarantine ({counts.waiting} wait for a decision), "
        f"{counts.duplicate} duplicates; total {counts.amount}"
    )
    reasons = batch.items.waiting().order_by("reason").values_list("reason", flat=True)
    told: dict[str, int] = {}
    for reason in reasons.iterator():
        told[reason] = told.get(reason, 0) + 1
    for reason, count in told.items():
        out.write(f"  {count:6d}  {reason}: {sentence(reason)}")


def staff_named(name: str, permission: str) -> Actor:
    """Who acts, by a name that signs in. Raises CommandError for nobody of staff who may."""
    user: User | None = find_user(name)
    if user is None or not user.is_active or not user.is_staff:
        raise CommandError(f"There is no member of staff {name!r}.")
    if not user.has_perm(permission):
        raise CommandError(f"{user} may not do this: the permission {permission} is missing.")
    return Actor("staff", str(user), user.pk)
