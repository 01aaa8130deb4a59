"""What our own code must not say, because SQL Server has no such thing; read from its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.apps import apps
from django.db import models

# Arguments that only other engines take, by the method that takes them.
ARGUMENTS = {
    "select_for_update": {"of", "no_key"},
    "bulk_create": {"ignore_conflicts", "update_conflicts", "unique_fields"},
    "abulk_create": {"ignore_conflicts", "update_conflicts", "unique_fields"},
}
ANYWHERE = {"ignore_conflicts", "update_conflicts"}
LOOKUPS = {"regex", "iregex"}
JSON_LOOKUPS = {"contains", "contained_by"}
MODULES = "django.contrib.postgres"


def json_fields(labels: Iterable[str]) -> set[str]:
    """The names of the JSON fields of these apps' models."""
    return {
        field.name
        for label in labels
        for model in apps.get_app_config(label).get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if isinstance(field, models.JSONField)
    }


def refused_in_source(source: str, *, json_names: set[str]) -> Iterator[str]:
    """A sentence for each thing that SQL Server lacks, with its line."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            yield from _refused_call(node)
            for keyword in node.keywords:
                yield from _refused_path(keyword.arg or "", keyword.value.lineno, json_names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            # The paths of Q(**{...}), F and FilterSets.
            yield from _refused_path(node.value, node.lineno, json_names)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names]
            module = getattr(node, "module", None) or ""
            if any(name.startswith(MODULES) for name in (module, *names)):
                yield f"line {node.lineno}: {MODULES}"


def _refused_call(node: ast.Call) -> Iterator[str]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name == "distinct" and node.args:
        yield f"line {node.lineno}: distinct() on columns"
    for keyword in node.keywords:
        if keyword.arg in ANYWHERE or keyword.arg in ARGUMENTS.get(name, set()):
            yield f"line {node.lineno}: {name}({keyword.arg}=…)"


def _refused_path(path: str, line: int, json_names: set[str]) -> Iterator[str]:
    parts = path.split("__")
    if len(parts) < 2 or not path.replace("__", "").isidentifier():
        return
    if parts[-1] in LOOKUPS:
        yield f"line {line}: {path}"
    if parts[-1] in JSON_LOOKUPS and json_names.intersection(parts[:-1]):
        yield f"line {line}: {path}"


def refused_in_files(paths: Iterable[Path], *, json_names: set[str]) -> list[str]:
    return [
        f"{path.name} {said}"
        for path in paths
        for said in refused_in_source(path.read_text(encoding="utf-8"), json_names=json_names)
    ]
