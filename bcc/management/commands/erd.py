"""``manage.py erd``: the tables of the club as a Mermaid diagram, read off the models."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import models

OURS = ("core", "accounts", "documents", "facilities", "reservations", "chat", "metrics")
HEADING = """# The tables

Made by `make erd` from the models; `make check` fails when it is stale. One diagram an app; a line
to a table of another app names it only.
"""


class Command(BaseCommand):
    help = "Write docs/erd.md from the models, or check with --check that it is up to date."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--file", type=Path, default=Path("docs/erd.md"), help="Where it is written.")
        parser.add_argument("--check", action="store_true", help="Change nothing; fail if it is stale.")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        text = draw()
        if not options["check"]:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            self.stdout.write(f"{path} is written.")
        elif not path.exists() or path.read_text() != text:
            raise CommandError(f"{path} is stale. Run `make erd` and commit it.")


def draw() -> str:
    """The whole document: a Mermaid ``erDiagram`` for each app that has tables."""
    parts = [HEADING]
    for label in OURS:
        tables = sorted(apps.get_app_config(label).get_models(), key=lambda model: model.__name__)
        if tables:
            parts.append(f"## {label}\n\n```mermaid\nerDiagram\n" + "\n".join(_lines(tables)) + "\n```\n")
    return "\n".join(parts)


def _lines(tables: list[type[models.Model]]) -> list[str]:
    lines = []
    for model in tables:
        lines.append(f"  {model.__name__} {{")
        lines += [f"    {_type(field)} {field.column}{_keys(field)}" for field in model._meta.concrete_fields]
        lines.append("  }")
        lines += [_relation(model, field) for field in model._meta.concrete_fields if field.is_relation]
        lines += [
            f"  {model.__name__} }}o--o{{ {_name(field.related_model)} : {field.name}"
            for field in model._meta.many_to_many
        ]
    return lines


def _type(field: models.Field[Any, Any]) -> str:
    return field.get_internal_type().removesuffix("Field").lower()


def _keys(field: models.Field[Any, Any]) -> str:
    if field.primary_key:
        return " PK"
    if field.is_relation:
        return " FK"
    return " UK" if field.unique else ""


def _relation(model: type[models.Model], field: models.Field[Any, Any]) -> str:
    end = "|o" if field.null else "||"
    many = "o|" if field.one_to_one else "o{"
    return f"  {_name(field.related_model)} {end}--{many} {model.__name__} : {field.name}"


def _name(model: Any) -> str:
    return str(model.__name__)
