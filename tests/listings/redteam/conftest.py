"""Files of listings."""

import pytest


@pytest.fixture
def csv_of(tmp_path):
    def write(content):
        path = tmp_path / "listings.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write
