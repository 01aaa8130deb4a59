"""What stands around the code: the locked requirements, the scripts, the composition of containers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.bcc.conftest import ROOT

PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)", re.MULTILINE)
# Each does the job that it is known for; what is faster stands behind it, not in its place.
BUILT_ON = (
    "django",
    "djangorestframework",
    "channels",
    "channels-redis",
    "daphne",
    "mssql-django",
    "pyodbc",
    "django-otp",
    "djangorestframework-simplejwt",
    "django-ratelimit",
    "pillow",
    "celery",
    "django-celery-beat",
    "drf-spectacular",
    "django-prometheus",
    "pytest-django",
)
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def pins(path: Path) -> dict[str, str]:
    return {name.lower().replace("_", "-"): version for name, version in PIN.findall(path.read_text())}


class TestRequirements:
    def test_are_these_files(self) -> None:
        names = [path.stem for path in LOCKS]
        assert names == ["base", "dev", "postgres", "s3", "sqlserver"]

    @pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
    def test_name_no_place(self, path: Path) -> None:
        text = path.read_text()
        assert "://" not in text
        assert "--index" not in text
        assert "--extra-index" not in text
        assert "--find-links" not in text
        assert "/" not in re.sub(r"#.*", "", text)

    @pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
    def test_carry_a_hash_for_every_package(self, path: Path) -> None:
        blocks = re.split(r"\n(?=[A-Za-z0-9])", path.read_text())
        assert all("--hash=sha256:" in block for block in blocks if PIN.match(block))

    @pytest.mark.parametrize("name", ["base", "postgres", "s3", "sqlserver"])
    def test_of_a_part_are_those_of_the_whole(self, name: str) -> None:
        whole = pins(ROOT / "requirements" / "dev.txt")
        part = pins(ROOT / "requirements" / f"{name}.txt")
        assert part.items() <= whole.items()

    def test_name_every_package_that_the_club_is_built_on(self) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        extras = project["optional-dependencies"]
        declared = " ".join(project["dependencies"] + extras["sqlserver"] + extras["dev"])
        for package in BUILT_ON:
            assert re.search(rf"(^| ){package}[\[<>=]", declared), package

    def test_hold_everything_that_pyproject_asks_for(self) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
        extras = project["optional-dependencies"]

        def names(wanted: list[str]) -> set[str]:
            return {re.split(r"[\[<>=!~ ]", one, maxsplit=1)[0].lower() for one in wanted}

        assert names(project["dependencies"]) <= pins(ROOT / "requirements/base.txt").keys()
        for extra in ("dev", "s3", "sqlserver", "postgres"):
            assert names(extras[extra]) <= pins(ROOT / "requirements/dev.txt").keys()
        assert names(extras["sqlserver"]) <= pins(ROOT / "requirements/sqlserver.txt").keys()
        assert {"pyodbc", "mssql-django"} <= names(extras["sqlserver"])
        assert "pytest-django" in names(extras["dev"])


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A checkout with the scripts alone, and commands that note how they were called.

    ``python3.11 -m venv`` fails, as on Debian without its package, until ``apt-get install`` was called.
    """
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "base.txt").write_text("one==1\n")
    (tmp_path / "requirements" / "dev.txt").write_text("two==2\n")
    commands = tmp_path / "commands"
    commands.mkdir()
    log = tmp_path / "log"
    venv_python = f'#!/bin/sh\necho "venv $*" >> {log}\n'
    scripts = {
        "python3.11": f"""#!/bin/sh
echo "python $*" >> {log}
case "$*" in
    --version) echo "Python 3.11.2" ;;
    "-m venv .venv")
        mkdir -p .venv/bin
        [ -e {tmp_path}/installed ] || exit 1
        printf '%s' '{venv_python}' > .venv/bin/python
        chmod +x .venv/bin/python ;;
    *print*) echo 3.11 ;;
esac
""",
        "apt-get": f"""#!/bin/sh
echo "apt-get $*" >> {log}
case "$1" in install) touch {tmp_path}/installed ;; esac
""",
        "id": "#!/bin/sh\necho ${FAKE_UID:-0}\n",
    }
    for name, text in scripts.items():
        (commands / name).write_text(text)
        (commands / name).chmod(0o755)
    for name in ("bash", "env", "dirname", "mkdir", "rm", "cat", "cut", "sha256sum", "touch", "chmod"):
        found = shutil.which(name)
        assert found is not None
        (commands / name).symlink_to(found)
    return tmp_path


def bootstrap(machine: Path, what: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(machine / "commands" / "bash"), "deploy/bootstrap.sh", what],
        cwd=machine,
        env={"PATH": str(machine / "commands"), "PYTHON": "python3.11", **env},
        capture_output=True,
        text=True,
        check=False,
    )


def called(machine: Path) -> str:
    return (machine / "log").read_text()


class TestBootstrap:
    def test_names_and_installs_the_package_that_venv_lacks(self, machine: Path) -> None:
        done = bootstrap(machine, "base")
        assert done.returncode == 0, done.stderr
        assert "lacks the package python3.11-venv" in done.stdout
        assert "apt-get update" in called(machine)
        assert "python3.11-venv" in called(machine)
        assert "--require-hashes -r requirements/base.txt" in called(machine)

    def test_says_what_to_run_where_it_may_not_install(self, machine: Path) -> None:
        done = bootstrap(machine, "base", FAKE_UID="1000")
        assert done.returncode == 1
        assert "sudo apt-get install python3.11-venv" in done.stderr
        assert "apt-get" not in called(machine)

    def test_says_that_it_needs_a_python(self, machine: Path) -> None:
        (machine / "commands" / "python3.11").unlink()
        done = bootstrap(machine, "base")
        assert done.returncode == 1
        assert "Python 3.11 or newer is needed" in done.stderr

    def test_installs_once_until_the_file_changes(self, machine: Path) -> None:
        bootstrap(machine, "base")
        (machine / "log").unlink()
        bootstrap(machine, "base")
        assert "pip install" not in called(machine)
        (machine / "requirements" / "base.txt").write_text("one==2\n")
        bootstrap(machine, "base")
        assert "pip install" in called(machine)

    def test_takes_the_whole_for_its_part(self, machine: Path) -> None:
        bootstrap(machine, "dev")
        (machine / "log").unlink()
        bootstrap(machine, "base")
        assert "pip install" not in called(machine)

    def test_installs_a_browser_only_where_there_is_none(self, machine: Path) -> None:
        assert bootstrap(machine, "browser").returncode == 0
        assert "apt-get install -y -qq --no-install-recommends chromium" in called(machine)
        (machine / "log").unlink()
        (machine / "commands" / "chromium").symlink_to(machine / "commands" / "id")
        assert bootstrap(machine, "browser").returncode == 0
        assert not (machine / "log").exists()

    def test_installs_odbc_only_where_pyodbc_cannot_be_imported(self, machine: Path) -> None:
        python = machine / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f"#!/bin/sh\n[ -e {machine}/installed ]\n")
        python.chmod(0o755)
        assert bootstrap(machine, "odbc").returncode == 0
        libraries = "libodbc2 libltdl7 libgssapi-krb5-2"
        assert f"apt-get install -y -qq --no-install-recommends {libraries}" in called(machine)
        (machine / "log").unlink()
        assert bootstrap(machine, "odbc").returncode == 0
        assert not (machine / "log").exists()


class TestMakefile:
    def test_lists_its_commands(self) -> None:
        done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
        listed = set(re.findall(r"^  make (\S+)", done.stdout, re.MULTILINE))
        assert {"run", "test", "check", "format", "demo-reset", "schema", "erd", "shell", "doctor"} <= listed

    def test_is_what_the_continuous_integration_calls(self) -> None:
        script = ROOT / ".ci" / "run"
        assert os.access(script, os.X_OK)
        assert script.read_text().rstrip().splitlines()[-1] == "make test"


def compose() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    return services


class TestCompose:
    def test_has_each_process_as_a_service(self) -> None:
        assert compose().keys() == {
            "database", "migrate", "web", "sockets", "worker", "mail", "batch", "beat", "proxy", "sqlserver",
            "redis",
        }  # fmt: skip

    def test_is_what_docker_compose_understands(self, tmp_path: Path) -> None:
        """Its own reading, not a start: that needs an engine for containers."""
        program = shutil.which("docker-compose")
        assert program is not None, "Run deploy/bootstrap.sh services."
        wanted = re.findall(r"\$\{(\w+):\?\}", (ROOT / "docker-compose.yml").read_text())
        done = subprocess.run(
            [program, "--file", str(ROOT / "docker-compose.yml"), "config", "--quiet"],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], **dict.fromkeys(wanted, "/a-value")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def test_gives_production_everything_that_it_asks_for(self) -> None:
        source = (ROOT / "bcc" / "settings" / "production.py").read_text()
        required = re.findall(r'"(\w+)"', source.split("REQUIRED = (")[1].split(")")[0])
        for name in ("web", "sockets", "worker", "mail", "batch", "beat", "migrate"):
            environment = compose()[name]["environment"]
            assert set(required) <= environment.keys()
            assert environment["DJANGO_SETTINGS_MODULE"] == "bcc.settings.production"

    def test_holds_no_secret(self) -> None:
        for name, value in compose()["web"]["environment"].items():
            if name.endswith(("_KEY", "PASSWORD")):
                assert value.startswith("${")

    def test_shows_the_network_nothing_but_the_proxy(self) -> None:
        assert [name for name, service in compose().items() if "ports" in service] == ["proxy"]

    def test_fills_in_every_place_of_the_proxys_configuration(self) -> None:
        template = (ROOT / "deploy/nginx/bcc.conf.template").read_text()
        assert set(re.findall(r"\$\{(\w+)\}", template)) == compose()["proxy"]["environment"].keys()

    def test_names_files_that_are_there(self) -> None:
        build = compose()["web"]["build"]
        dockerfile = (ROOT / build["dockerfile"]).read_text()
        for source in re.findall(r"^COPY (\S+) ", dockerfile, re.MULTILINE):
            assert (ROOT / source).exists()
        assert (ROOT / "deploy" / "probe.py").exists()
