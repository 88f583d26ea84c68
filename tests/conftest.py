"""What all tests share: one thread, no hub, an own home, and the folder of real data where it is present."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

import instar  # noqa: F401  before a test imports torchvision, timm or transformers: instar.compat

# Before torch is imported by anybody, so in this process and in every one that a test starts: sums of floats
# depend on the number of threads, and two test processes must not spin against each other (pytorch#80777).
os.environ.update(
    OMP_NUM_THREADS="1",
    OMP_WAIT_POLICY="PASSIVE",
    TOKENIZERS_PARALLELISM="false",
    HF_HUB_OFFLINE="1",
)

REPOSITORY = Path(__file__).resolve().parents[1]

# The same examples every time where CI is set, new ones elsewhere. No time limit: machines are shared.
settings.register_profile("instar", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("instar")


@pytest.fixture(scope="session", autouse=True)
def instar_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty home for caches, so that no test reads or writes the person's own."""
    home = tmp_path_factory.mktemp("instar-home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INSTAR_HOME", str(home))
        yield home


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data sets and real weights, read-only; without it the test is skipped."""
    folder = Path(os.environ.get("INSTAR_SHARED", REPOSITORY.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip(f"no real data: {folder} is absent (INSTAR_SHARED names another folder)")
    return folder
