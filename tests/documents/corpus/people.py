"""Memberships, and what each owes in the month."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

PERIOD: Final = "2026-10"
OUTLETS: Final = (
    "Main Dining Room",
    "Golf Pro Shop",
    "Tennis Courts",
    "Pool Terrace",
    "Driving Range",
    "Banquet",
    "Sports Bar",
    "Locker Rental",
)
FIRST_NAMES: Final = ("Alma", "Benito", "Carla", "Dindo", "Elena", "Félix", "Gina", "Héctor", "Inés", "Jojo")


@dataclass(frozen=True, slots=True)
class Charge:
    number: str
    on: date
    outlet: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Account:
    """``previous + charges − payments = due``, as every statement must."""

    account_no: str
    name: str
    previous: Decimal
    payments: Decimal
    charges: tuple[Charge, ...]

    @property
    def charged(self) -> Decimal:
        return sum((charge.amount for charge in self.charges), Decimal(0))

    @property
    def due(self) -> Decimal:
        return self.previous + self.charged - self.payments


def account_no(number: int) -> str:
    return f"D-{number:04d}"


def accounts(count: int, dice: random.Random) -> list[Account]:
    """``count`` accounts, D-0001 and on; every ninth owes nothing from before, every 31st has credit."""
    found = []
    for number in range(1, count + 1):
        charges = tuple(
            Charge(
                number=f"CH-{number:04d}-{line:03d}",
                on=date(2026, 10, dice.randint(1, 31)),
                outlet=dice.choice(OUTLETS),
                amount=_amount(dice, 80, 9_000),
            )
            for line in range(dice.choice((3, 8, 14, 22, 31, 38, 60, 75)))
        )
        previous = Decimal(0) if number % 9 == 0 else _amount(dice, 500, 60_000)
        if number % 31 == 0:
            previous = -_amount(dice, 100, 5_000)
        name = f"{dice.choice(FIRST_NAMES)} Demo {number:04d}"
        paid = previous if previous > 0 else Decimal(0)
        found.append(Account(account_no(number), name, previous, paid, charges))
    return found


def _amount(dice: random.Random, low: int, high: int) -> Decimal:
    return (Decimal(dice.randint(low * 100, high * 100)) / 100).quantize(Decimal("0.01"))
