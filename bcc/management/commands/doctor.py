"""``manage.py doctor``: what is wrong with this machine, and what to do about it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from bcc import health


class Command(BaseCommand):
    help = "Runs the checks of /health/ready and more; says what to do about each fault, and exits 1 for one."
    # The configuration is one of the checks; it must not keep the others from running.
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        findings = health.examine(health.DOCTOR_CHECKS)
        width = max(len(found.name) for found in findings)
        for found in findings:
            word = self.style.SUCCESS("ok  ") if found.is_well else self.style.ERROR("FAIL")
            self.stdout.write(f"{word}  {found.name:<{width}}  {found.detail}  ({found.took_ms:.0f} ms)")
            if found.fix:
                self.stdout.write(f"      {'':<{width}}  → {found.fix}")
        faults = [found.name for found in findings if not found.is_well]
        if faults:
            raise CommandError(f"{len(faults)} of {len(findings)} checks failed: {', '.join(faults)}.")
        self.stdout.write("All is well.")
