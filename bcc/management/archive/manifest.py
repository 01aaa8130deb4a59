"""What an archive says about itself: ``manifest.json``, its last member. Pure: no files, no database."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from bcc.management.archive.errors import DamagedArchiveError, RefusedError

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
FILES: Final = "files/"
# Engine → the member that holds its database.
DATABASES: Final = {"sqlite": "database.sqlite3", "postgresql": "database.dump"}
# A manifest has about 200 bytes a file; one larger than this is none of ours.
MANIFEST_LIMIT: Final = 512 * 1024 * 1024
_DIGEST_LENGTH: Final = 64

Migration = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Member:
    """One member of the archive: its size in bytes and its SHA-256 in hexadecimal."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What a database held at one moment. ``rows`` by table; ``version`` is the engine's."""

    engine: str
    version: str
    migrations: frozenset[Migration]
    rows: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything that an archive must hold to be whole. ``members`` by name, without the manifest."""

    made_at: datetime
    project_version: str
    contents: Contents
    members: Mapping[str, Member] = field(default_factory=dict)

    @property
    def database(self) -> str:
        """The name of the member that is the database."""
        return DATABASES[self.contents.engine]

    @property
    def files(self) -> list[str]:
        """The names of the members that are stored files, in order."""
        return sorted(name for name in self.members if name.startswith(FILES))

    def to_json(self) -> str:
        """The text of ``manifest.json``."""
        contents = self.contents
        said = {
            "format": FORMAT,
            "made_at": self.made_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "engine": contents.engine,
            "engine_version": contents.version,
            "project_version": self.project_version,
            "migrations": [{"app": app, "name": name} for app, name in sorted(contents.migrations)],
            "rows": dict(sorted(contents.rows.items())),
            "members": [
                {"name": name, "size": member.size, "sha256": member.sha256}
                for name, member in sorted(self.members.items())
            ],
        }
        return json.dumps(said, indent=1) + "\n"


def parse_manifest(text: bytes) -> Manifest:
    """The manifest that ``to_json`` wrote.

    Raises DamagedArchiveError for anything else, RefusedError for a format that is not known here.
    """
    try:
        said = json.loads(text)
        number = said["format"]
        if isinstance(number, int) and number > FORMAT:
            raise RefusedError(
                f"The archive has format {number}, and this version reads {FORMAT}: update the code first."
            )
        if number != FORMAT or said["engine"] not in DATABASES:
            raise DamagedArchiveError("The manifest names a format or an engine that there never was.")
        return _parsed(said)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DamagedArchiveError("The manifest cannot be read: it is none of ours.") from error


def _parsed(said: Any) -> Manifest:
    members = {one["name"]: Member(_count(one["size"]), str(one["sha256"])) for one in said["members"]}
    if len(members) != len(said["members"]):
        raise DamagedArchiveError("The manifest names a member twice.")
    for name, member in members.items():
        if not is_safe_name(name) or len(member.sha256) != _DIGEST_LENGTH:
            raise DamagedArchiveError(f"The manifest names {name!r}, which is no member of an archive.")
    contents = Contents(
        engine=said["engine"],
        version=str(said["engine_version"]),
        migrations=frozenset((str(one["app"]), str(one["name"])) for one in said["migrations"]),
        rows={str(table): _count(count) for table, count in said["rows"].items()},
    )
    made_at = datetime.fromisoformat(said["made_at"]).astimezone(UTC)
    manifest = Manifest(made_at, str(said["project_version"]), contents, members)
    if manifest.database not in members:
        raise DamagedArchiveError("The manifest names no database.")
    return manifest


def _count(number: Any) -> int:
    if type(number) is not int or number < 0:
        raise ValueError(number)
    return number


def is_safe_name(name: Any) -> bool:
    """Whether a member of that name may stand in an archive: the database, or a path below ``files/``."""
    if not isinstance(name, str):
        return False
    if name in DATABASES.values():
        return True
    parts = name.removeprefix(FILES).split("/")
    return name.startswith(FILES) and not {"", ".", ".."} & set(parts) and not set("\\\0") & set(name)


def compare_members(manifest: Manifest, found: Mapping[str, Member]) -> None:
    """Raises DamagedArchiveError for the first member that is missing, foreign or changed."""
    for name in sorted(manifest.members.keys() | found.keys()):
        if name not in found:
            raise DamagedArchiveError(f"{name} is missing from the archive.")
        if name not in manifest.members:
            raise DamagedArchiveError(f"{name} is in the archive, and its manifest does not know it.")
        if found[name] != manifest.members[name]:
            raise DamagedArchiveError(f"{name} is not what was written: its size or its hash differs.")


def compare_contents(manifest: Manifest, found: Contents) -> None:
    """Raises DamagedArchiveError where a database holds other tables, rows or migrations than it should."""
    said = manifest.contents
    for table in sorted(said.rows.keys() | found.rows.keys()):
        wanted, there = said.rows.get(table), found.rows.get(table)
        if wanted != there:
            raise DamagedArchiveError(f"{table} holds {_rows(there)}, and the manifest says {_rows(wanted)}.")
    if said.migrations != found.migrations:
        raise DamagedArchiveError("The database has other migrations than the manifest says.")


def _rows(count: int | None) -> str:
    return "nothing" if count is None else f"{count} rows"


def refuse_newer(archived: Iterable[Migration], known: Iterable[Migration]) -> None:
    """Raises RefusedError where the archive has migrations that this code does not know."""
    unknown = sorted(set(archived) - set(known))
    if unknown:
        names = ", ".join(f"{app}.{name}" for app, name in unknown[:3])
        raise RefusedError(
            f"The archive is newer than this code, which does not know {len(unknown)} of its migrations "
            f"({names}): update the code first."
        )
