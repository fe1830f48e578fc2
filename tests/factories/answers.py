"""Somebody who knows the policy: finds the scenario on a page and what would be right there."""

from collections.abc import Iterable

from lti_tool.curriculum.catalogue import Catalogue, Scenario
from lti_tool.curriculum.questions import fill, in_language
from lti_tool.policies.policy import School
from lti_tool.policies.resolve import Resolution, State, resolve


def flat(text: str) -> str:
    """A text with its white space folded, as pages and files break their lines differently."""
    return " ".join(text.split())


class Expert:
    """Knows one school's policy as one role group reads it."""

    def __init__(self, catalogue: Catalogue, school_id: str, role_group: str) -> None:
        self.school: School = catalogue.schools[school_id]
        self.scenarios: Iterable[Scenario] = catalogue.scenarios.values()
        self.role_group = role_group

    def scenario_on(self, page_text: str) -> Scenario:
        """The scenario whose stem stands on the page."""
        page = flat(page_text)
        found = [one for one in self.scenarios if self.say(one.text["en"]) in page]
        assert len(found) == 1, f"{len(found)} scenarios on the page"
        return found[0]

    def say(self, text: str) -> str:
        return flat(fill(text, self.school, "en"))

    def resolution(self, scenario: Scenario) -> Resolution:
        return resolve(self.school.policy, self.school, self.role_group, scenario.case)

    def choose(self, page_text: str, *, right: bool = True) -> str:
        """The id of a right option, or of one that is not; any where nothing is scored."""
        scenario = self.scenario_on(page_text)
        resolution = self.resolution(scenario)
        ids = [option.id for option in scenario.options]
        if resolution.state is not State.SETTLED:
            return ids[0]
        return next(one for one in ids if (one in resolution.right) is right)

    def words(self, scenario: Scenario, option_id: str) -> str:
        """An option as the page shows it."""
        option = next(one for one in scenario.options if one.id == option_id)
        return self.say(in_language(option.text, "en"))
