"""Fetch Chart.js and its plugin for annotations as they are vendored: `python scripts/vendor_chartjs.py`. Needs npm.

The packages come from the npm registry (`npm pack`); what does not match is not written. A last line that names a
source map, which is not vendored, is left out: Django's ManifestStaticFilesStorage would look for that file and fail.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1] / "hailwhale_django/static/hailwhale_django/vendor"
LICENSE = "LICENSE.md"
SOURCE_MAP = b"//# sourceMappingURL="


@dataclass(frozen=True, slots=True)
class Package:
    """A script of an npm package; the hashes are of the files as they are written here."""

    name: str
    version: str
    script: str
    script_sha256: str
    license_sha256: str

    @property
    def directory(self) -> Path:
        return ROOT / self.name / self.version

    @property
    def hashes(self) -> dict[str, str]:
        return {self.script: self.script_sha256, LICENSE: self.license_sha256}


PACKAGES = (
    Package(
        "chart.js",
        "4.6.1",
        "chart.umd.min.js",
        "c17f2ce49fb9c71ef7fb39c03f868804ac5ab34730149976eebe6b7f807bef0c",
        "41a84aa2caba645f966a18d9c2056b73e6d3a81d80bc0046bc0011a2634d4cce",
    ),
    Package(
        "chartjs-plugin-annotation",
        "3.1.0",
        "chartjs-plugin-annotation.min.js",
        "ff03786a60f6c93ccacfe0fbb6c2e3c671d7930856a3689f2f393113d8d655ec",
        "868e144ac8fc605036f5a4403fd1007dcb70d69150619b95bc87c200bcbdb8c5",
    ),
)


def main() -> None:
    found = {package: fetched(package) for package in PACKAGES}
    for package, files in found.items():
        package.directory.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (package.directory / name).write_bytes(content)
        print(f"{package.name} {package.version} is in {package.directory}")


def fetched(package: Package) -> dict[str, bytes]:
    """The files of a package by their names; ends the program if they are not those that are expected."""
    named = f"{package.name}@{package.version}"
    with tempfile.TemporaryDirectory() as directory:
        command = ["npm", "pack", named, "--pack-destination", directory]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        with tarfile.open(Path(directory) / f"{package.name}-{package.version}.tgz") as archive:
            script = without_source_map(read(archive, f"package/dist/{package.script}"))
            files = {package.script: script, LICENSE: read(archive, f"package/{LICENSE}")}
    for name, content in files.items():
        found = hashlib.sha256(content).hexdigest()
        if found != package.hashes[name]:
            sys.exit(f"{name} of {named} has the SHA-256 {found}, not {package.hashes[name]}: nothing was written")
    return files


def read(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(name)
    if member is None:
        sys.exit(f"{archive.name} has no file {name}")
    return member.read()


def without_source_map(script: bytes) -> bytes:
    return b"".join(line for line in script.splitlines(keepends=True) if not line.startswith(SOURCE_MAP))


if __name__ == "__main__":
    main()
