"""The card a channel reads, held against Microsoft's own parser."""

import json
from datetime import date

import pytest
from flask import Flask

from lti_tool.training.channels import cards
from lti_tool.training.reminders.planning import Figures
from lti_tool.ui import pages
from tests.unit.teams.test_packages import faults

DAY = date(2026, 12, 4)
LINK = "https://teams.microsoft.com/l/entity/x/training"


@pytest.fixture(autouse=True)
def _words() -> object:
    app = Flask("cards")
    pages.install(app)
    with app.app_context():
        yield


@pytest.mark.parametrize(
    ("figures", "due", "link", "says"),
    [
        (Figures(1, 0, 0, 0), None, LINK, "1 person still has something to do."),
        (Figures(2, 5, 3, 1, 4), DAY, LINK, "7 people still have something to do. The next date"),
        (Figures(0, 0, 0, 0), None, "", "Everybody has done"),
    ],
)
def test_it_is_a_valid_adaptive_card(
    figures: Figures, due: date | None, link: str, says: str
) -> None:
    made = cards.card(school="Ysgol Glanmôr", figures=figures, next_due=due, link=link)
    assert faults("card", made) == []
    assert made["version"] == "1.5"
    assert says in json.dumps(made, ensure_ascii=False)
    assert [button["url"] for button in made.get("actions", ())] == ([link] if link else [])


def test_the_parser_finds_what_is_wrong() -> None:
    made = cards.card(school="A", figures=Figures(0, 0, 0, 0), next_due=None, link=LINK)
    made["body"].append({"type": "TextBlok", "text": "x"})
    del made["actions"][0]["url"]
    made["body"][0]["colour"] = "Good"
    assert faults("card", made) == [
        'Unknown element type "TextBlok". Fallback will be used if present.',
        'Property "url" must be set.',
        *("/body/0/colour is unknown", "/body/5/type is unknown", "/body/5/text is unknown"),
    ]


def test_the_message_is_what_workflows_takes() -> None:
    made = cards.card(school="A", figures=Figures(0, 0, 0, 0), next_due=None, link="", is_try=True)
    said = json.loads(cards.message(made))
    assert said["type"] == "message"
    (attachment,) = said["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert attachment["content"] == made
    assert "This is a try" in cards.message(made)
