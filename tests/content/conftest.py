"""The repository's own content, read once."""

import pytest

from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.curriculum.reading import ROOT, read_catalogue


@pytest.fixture(scope="session")
def content() -> Catalogue:
    return read_catalogue(ROOT)
