"""The Open Bandit Dataset's sample: a week of a fashion shop's banners, by a uniform policy and by Bernoulli Thompson
sampling (Saito, Aihara, Matsutani and Narita, NeurIPS 2021).

It is read from the source distribution of `obp` on PyPI, which pip fetches once, pinned by its hash, into the system's
directory for temporary files. No row of it is kept here.
"""

from __future__ import annotations

import csv
import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hailwhale_django.engine.decide.evidence import Floats

VERSION = "0.5.7"
SHA256 = "3060d67fedfcfadf1e7a6f2608987f74412b5eb74d2c567edeb147595c68f2a0"
CACHE = Path(tempfile.gettempdir()) / "hailwhale-benchmarks"
CAMPAIGNS = ("all", "men", "women")
UNIFORM, BTS = "random", "bts"
USER_FEATURES = 4
POSITIONS = 3

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Impressions:
    """Rows of a log: which item was shown where, with which chance, whether it was clicked, and who saw it.

    `user[row, feature]` are codes; `liked[row, item]` says for which items the visitor had shown a liking before.
    """

    items: int
    item: Ints
    position: Ints
    propensity: Floats
    click: Floats
    user: NDArray[np.str_]
    liked: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.item)

    def at(self, rows: NDArray[np.bool_]) -> Impressions:
        columns = (self.item, self.position, self.propensity, self.click, self.user, self.liked)
        return Impressions(self.items, *(column[rows] for column in columns))


def campaigns() -> Iterator[tuple[str, Impressions, Impressions]]:
    """Each campaign with its logs of the uniform policy and of Thompson sampling."""
    with tarfile.open(_fetched()) as archive:
        for campaign in CAMPAIGNS:
            uniform, bts = (_read(archive, policy, campaign) for policy in (UNIFORM, BTS))
            yield campaign, uniform, bts


def _read(archive: tarfile.TarFile, policy: str, campaign: str) -> Impressions:
    file = archive.extractfile(f"obp-{VERSION}/obp/dataset/obd/{policy}/{campaign}/{campaign}.csv")
    assert file is not None
    reader = csv.reader(io.TextIOWrapper(file, "utf-8"))
    heading = next(reader)
    names = ("item_id", "position", "propensity_score", "click", *(f"user_feature_{at}" for at in range(USER_FEATURES)))
    places = [heading.index(name) for name in names]
    likings = heading.index("user-item_affinity_0")
    rows = [([row[at] for at in places], [text != "0.0" for text in row[likings:]]) for row in reader]
    item, position, propensity, click, *user = zip(*(told for told, _ in rows), strict=True)
    return Impressions(
        items=len(heading) - likings,
        item=np.array(item, dtype=np.int64),
        position=np.array(position, dtype=np.int64) - 1,
        propensity=np.array(propensity, dtype=np.float64),
        click=np.array(click, dtype=np.float64),
        user=np.array(user).T,
        liked=np.array([liked for _, liked in rows]),
    )


def _fetched() -> Path:
    """The distribution in the cache, or from pip, which checks its hash before it runs any of it."""
    path = CACHE / f"obp-{VERSION}.tar.gz"
    if not _is_whole(path):
        CACHE.mkdir(parents=True, exist_ok=True)
        pinned = CACHE / "open_bandit.txt"
        pinned.write_text(f"obp=={VERSION} --hash=sha256:{SHA256}\n", encoding="utf-8")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "obp"]
        pip += ["--ignore-requires-python", "--require-hashes", "--dest", str(CACHE), "--requirement", str(pinned)]
        subprocess.run(pip, check=True, capture_output=True, text=True)
        if not _is_whole(path):
            raise OSError(f"{path.name} is not what it was when it was pinned")
    return path


def _is_whole(path: Path) -> bool:
    return path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == SHA256
