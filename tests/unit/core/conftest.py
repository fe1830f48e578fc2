"""The one door to the outside, as tests open it."""

from pathlib import Path

from lti_tool.config import Config
from lti_tool.core.outside import Outside


def outside(url: str = "https://training.example.org", *private_hosts: str) -> Outside:
    return Outside(Config(instance=Path("."), url=url, private_hosts=private_hosts))
