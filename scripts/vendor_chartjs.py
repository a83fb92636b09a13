"""Fetch Chart.js as it is vendored: `python scripts/vendor_chartjs.py`. Needs npm; writes nothing that does not match.

The package comes from the npm registry (`npm pack`). Its last line, which names a source map that is not vendored, is
left out: Django's ManifestStaticFilesStorage would look for that file and fail.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

VERSION = "4.6.1"
# Of chart.umd.min.js as it is written here, without its last line; and of the package's LICENSE.md.
SHA256 = "c17f2ce49fb9c71ef7fb39c03f868804ac5ab34730149976eebe6b7f807bef0c"
LICENSE_SHA256 = "41a84aa2caba645f966a18d9c2056b73e6d3a81d80bc0046bc0011a2634d4cce"

NAME = "chart.umd.min.js"
DIRECTORY = Path(__file__).parents[1] / "hailwhale_django/static/hailwhale_django/vendor/chart.js"
SOURCE_MAP = b"//# sourceMappingURL="


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(
            ["npm", "pack", f"chart.js@{VERSION}", "--pack-destination", directory],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        with tarfile.open(Path(directory) / f"chart.js-{VERSION}.tgz") as package:
            script = without_source_map(read(package, f"package/dist/{NAME}"))
            license_text = read(package, "package/LICENSE.md")
    for name, content, expected in ((NAME, script, SHA256), ("LICENSE.md", license_text, LICENSE_SHA256)):
        found = hashlib.sha256(content).hexdigest()
        if found != expected:
            sys.exit(f"{name} of chart.js {VERSION} has the SHA-256 {found}, not {expected}: nothing was written")
    target = DIRECTORY / VERSION
    target.mkdir(parents=True, exist_ok=True)
    (target / NAME).write_bytes(script)
    (target / "LICENSE.md").write_bytes(license_text)
    print(f"Chart.js {VERSION} is in {target}")


def read(package: tarfile.TarFile, name: str) -> bytes:
    member = package.extractfile(name)
    if member is None:
        sys.exit(f"chart.js {VERSION} has no file {name}")
    return member.read()


def without_source_map(script: bytes) -> bytes:
    return b"".join(line for line in script.splitlines(keepends=True) if not line.startswith(SOURCE_MAP))


if __name__ == "__main__":
    main()
