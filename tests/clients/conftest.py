import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def libical(tmp_path_factory) -> Path:
    """The reader of libical.c, compiled."""
    program = tmp_path_factory.mktemp("libical") / "read"
    assert shutil.which("cc"), "tests/run installs a C compiler and libical-dev"
    command = ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-O1", "-o", program, HERE / "libical.c", "-lical"]
    subprocess.run(command, check=True)
    return program
