"""The import contracts hold, and each of them notices what it is there to notice."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.bcc.conftest import PACKAGES, ROOT

APPS = "Each app stands on those below it"
ROOMS_OF_BCC = "The composition root, room by room"
ROOMS = "Inside an app, entry points stand on services, and services on models"
ENGINE_ROOM = "Services, selectors, models and policies know neither HTTP, sockets nor Celery"


def lint(tree: Path) -> tuple[int, str]:
    """Exit code and output of lint-imports over ``tree``."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def plant(tree: Path, path: str, line: str) -> None:
    file = tree / path
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as out:
        out.write(f"\n{line}\n")


class TestContracts:
    def test_hold(self, tree: Path) -> None:
        code, output = lint(tree)
        assert code == 0, output
        assert "Contracts: 4 kept, 0 broken." in output

    @pytest.mark.parametrize(
        ("path", "line", "broken"),
        [
            ("documents/apps.py", "import facilities.models", APPS),
            ("reservations/apps.py", "import chat.apps", APPS),
            ("accounts/apps.py", "import bcc.urls", APPS),
            ("bcc/core/clock.py", "import accounts.models", APPS),
            ("facilities/apps.py", "import metrics.apps", APPS),
            ("bcc/celery.py", "import bcc.urls", ROOMS_OF_BCC),
            ("facilities/models/facility.py", "import facilities.services", ROOMS),
            ("reservations/services/__init__.py", "import reservations.views", ROOMS),
            ("accounts/policies/planted.py", "import accounts.models", ROOMS),
            ("reservations/services/planted.py", "import rest_framework", ENGINE_ROOM),
            ("accounts/services/planted.py", "import celery", ENGINE_ROOM),
            ("accounts/models/planted.py", "import channels.layers", ENGINE_ROOM),
            ("facilities/policies/planted.py", "import rest_framework.serializers", ENGINE_ROOM),
        ],
    )
    def test_notice_a_planted_import(self, tree: Path, path: str, line: str, broken: str) -> None:
        plant(tree, path, line)
        code, output = lint(tree)
        assert code == 1, output
        assert f"{broken} BROKEN" in output

    @pytest.mark.parametrize(
        ("path", "broken"),
        [
            ("bcc/helpers.py", ROOMS_OF_BCC),
            ("accounts/utils.py", ROOMS),
            ("chat/misc/__init__.py", ROOMS),
        ],
    )
    def test_notice_a_planted_room(self, tree: Path, path: str, broken: str) -> None:
        plant(tree, path, '"""A room that nobody agreed to."""')
        code, output = lint(tree)
        assert code == 1, output
        assert f"{broken} BROKEN" in output


def importlinter() -> dict[str, Any]:
    config: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    return config


class TestPackages:
    def test_are_all_in_the_contracts(self) -> None:
        found = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"benchmarks", "tests"}
        config = importlinter()
        contracts = {contract["id"]: contract for contract in config["contracts"]}
        layers = " ".join(contracts["apps"]["layers"]).replace("|", " ").replace(":", " ").split()
        assert found == set(PACKAGES)
        assert set(config["root_packages"]) == found
        assert {layer.split(".")[0] for layer in layers} == found
        assert set(contracts["rooms"]["containers"]) | set(contracts["root"]["containers"]) == found

    def test_of_the_root_are_all_above_the_apps(self) -> None:
        top = importlinter()["contracts"][0]["layers"][0].replace(" ", "").split(":")
        modules = {path.stem for path in (ROOT / "bcc").glob("*.py")}
        packages = {path.parent.name for path in (ROOT / "bcc").glob("*/__init__.py")}
        assert {name.removeprefix("bcc.") for name in top} == (modules | packages) - {"__init__", "core"}
