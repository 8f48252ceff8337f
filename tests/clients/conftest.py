import shutil
import subprocess
from pathlib import Path

import pytest

from server import Server

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def libical(tmp_path_factory) -> Path:
    """The compiled reader of libical.c."""
    program = tmp_path_factory.mktemp("libical") / "read"
    assert shutil.which("cc"), "tests/run installs a C compiler and libical-dev"
    command = ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-O1", "-o", program, HERE / "libical.c", "-lical"]
    subprocess.run(command, check=True)
    return program


@pytest.fixture
def server(tmp_path):
    """A server with the shipped program and an empty store."""
    server = Server(tmp_path / "data")
    server.start()
    yield server
    if server.process:
        server.kill()
