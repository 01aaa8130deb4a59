"""What can be done to a club, and to an archive of it."""

from __future__ import annotations

import gzip
import hashlib
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from bcc.management.archive import restore
from tests.bcc.backups import (
    Club,
    Parts,
    append_to_stream,
    rewrite,
    rewrite_manifest,
)


def lose_everything(club: Club) -> None:
    club.database.unlink()
    for path in sorted(club.files.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    club.files.rmdir()


def change_everything(club: Club) -> None:
    club.execute("INSERT INTO django_content_type (app_label, model) VALUES ('a', 'b')")
    club.execute("UPDATE accounts_member SET first_name = 'Changed'")
    (club.files / "00" / "new.bin").write_bytes(b"new")
    (club.files / "01" / "picture 1 ñ.bin").unlink()


def flip(data: bytes, at: int) -> bytes:
    """With a few bytes turned over: a single bit may be one that unpacks to the same."""
    turned = bytes(byte ^ 0xFF for byte in data[at : at + 4])
    return data[:at] + turned + data[at + 4 :]


def regular(name: str, content: bytes = b"x") -> tuple[tarfile.TarInfo, bytes]:
    return tarfile.TarInfo(name), content


def link(name: str, kind: bytes) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, "/etc/passwd"
    return info, b""


def with_more(*more: tuple[tarfile.TarInfo, bytes]) -> Callable[[Path], None]:
    return lambda path: rewrite(path, lambda parts: [*parts[:-1], *more, parts[-1]])


def with_other_content(path: Path) -> None:
    def changed(parts: Parts) -> Parts:
        info, content = parts[-2]
        return [*parts[:-2], (info, flip(content, 5)), parts[-1]]

    rewrite(path, changed)


def with_a_broken_database(path: Path) -> None:
    """The hash is right, the database is not."""
    digests: list[str] = []

    def changed(parts: Parts) -> Parts:
        info, content = parts[0]
        broken = content[: 40 * 4096] + b"\xff" * 4096 * 20 + content[60 * 4096 :]
        digests.append(hashlib.sha256(broken).hexdigest())
        return [(info, broken), *parts[1:]]

    rewrite(path, changed)
    rewrite_manifest(path, lambda said: said["members"][0].update(sha256=digests[0]))


def with_manifest(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    return lambda path: rewrite_manifest(path, lambda said: cast("None", change(said)))


def with_manifest_text(text: bytes) -> Callable[[Path], None]:
    return lambda path: rewrite(path, lambda parts: [*parts[:-1], (parts[-1][0], text)])


DAMAGES: dict[str, Callable[[Path], Any]] = {
    "empty": lambda path: path.write_bytes(b""),
    "half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "last byte cut": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "checksum cut": lambda path: path.write_bytes(path.read_bytes()[:-8]),
    "byte flipped early": lambda path: path.write_bytes(flip(path.read_bytes(), 400)),
    "byte flipped in the middle": lambda path: path.write_bytes(
        flip(path.read_bytes(), path.stat().st_size // 2)
    ),
    "byte flipped in the checksum": lambda path: path.write_bytes(
        flip(path.read_bytes(), path.stat().st_size - 6)
    ),
    "no gzip": lambda path: path.write_bytes(b"hello" * 1000),
    "no tar": lambda path: path.write_bytes(gzip.compress(b"hello" * 1000)),
    "an empty tar": lambda path: path.write_bytes(gzip.compress(bytes(10240))),
    "bytes after the gzip": lambda path: path.write_bytes(path.read_bytes() + b"more"),
    "bytes after the tar": lambda path: append_to_stream(path, b"more"),
    "no manifest": lambda path: rewrite(path, lambda parts: parts[:-1]),
    "manifest not last": lambda path: rewrite(path, lambda parts: [parts[-1], *parts[:-1]]),
    "no database": lambda path: rewrite(path, lambda parts: parts[1:]),
    "file missing": lambda path: rewrite(path, lambda parts: [*parts[:5], *parts[6:]]),
    "file twice": lambda path: rewrite(path, lambda parts: [*parts[:5], parts[5], *parts[5:]]),
    "other content": with_other_content,
    "foreign file": with_more(regular("files/foreign")),
    "foreign top-level file": with_more(regular("keys.json")),
    "second database": with_more(regular("database.dump")),
    "absolute path": with_more(regular("/tmp/evil")),
    "path upwards": with_more(regular("files/../../evil")),
    "path with a dot": with_more(regular("files/./evil")),
    "path with nothing between": with_more(regular("files//evil")),
    "file below a file": with_more(regular("files/a"), regular("files/a/b")),
    "symbolic link": with_more(link("files/link", tarfile.SYMTYPE)),
    "hard link": with_more(link("files/link", tarfile.LNKTYPE)),
    "folder": with_more(link("files/folder", tarfile.DIRTYPE)),
    "device": with_more(link("files/null", tarfile.CHRTYPE)),
    "broken database": with_a_broken_database,
    "manifest that is no JSON": with_manifest_text(b"{"),
    "manifest that is a list": with_manifest_text(b"[]"),
    "manifest of brackets": with_manifest_text(b"[" * 100_000),
    "manifest of format 0": with_manifest(lambda said: said.update(format=0)),
    "manifest of no engine": with_manifest(lambda said: said.update(engine="oracle")),
    "manifest without rows": with_manifest(lambda said: said.pop("rows")),
    "manifest with a negative size": with_manifest(lambda said: said["members"][1].update(size=-1)),
    "manifest with a wrong size": with_manifest(lambda said: said["members"][1].update(size=1)),
    "manifest with a wrong hash": with_manifest(lambda said: said["members"][1].update(sha256="0" * 64)),
    "manifest with a name twice": with_manifest(lambda said: said["members"].append(said["members"][1])),
    "manifest with a path upwards": with_manifest(lambda said: said["members"][1].update(name="files/../x")),
    "manifest with more rows": with_manifest(lambda said: said["rows"].update(accounts_member=51)),
    "manifest with another table": with_manifest(lambda said: said["rows"].update(more=0)),
    "manifest with fewer migrations": with_manifest(lambda said: said["migrations"].pop()),
}


def staged_of(club: Club, archive: Path) -> Any:
    return restore.staged_archive(engine=club.engine, archive=archive)
