"""Connecting a platform by an invitation (Dynamic Registration 1.0), step by step."""

import requests
from bs4 import BeautifulSoup
from sqlalchemy import select

from lti_tool.lti.connect import invitations
from lti_tool.lti.models import Deployment, DeploymentSchool, Registration
from sandbox_lms.visitor import read_form
from tests.conformance.world import SCHOOL, World, refused
from tests.factories.platforms import Pretender

ALL = ["name", "email", "grades", "members"]
TOKEN = "a.registration.token"


def invite(tool: World, *schools: str) -> str:
    """The address of a fresh invitation."""
    with tool.database.transaction() as session:
        secret = invitations.invite(session, schools=schools or (SCHOOL,), now=tool.lti.clock())
    return f"{tool.url}/connect/register/{secret}"


def paste(tool: World, address: str, **choice: str) -> str:
    """Give an invitation to the sandbox's own page; returns what the frame there shows."""
    data = {"url": address, **choice}
    page = tool.http.post(f"{tool.platform.issuer}/tools", data=data, timeout=30)
    return str(BeautifulSoup(page.text, "html.parser").iframe["src"])  # type: ignore[index]


def look(tool: World, address: str, config_url: str, token: str = TOKEN) -> requests.Response:
    """What a platform's frame shows."""
    query = {"openid_configuration": config_url} | ({"registration_token": token} if token else {})
    return tool.http.get(address, params=query, timeout=30)


def press(tool: World, page: requests.Response, *wanted: str) -> requests.Response:
    """Press “Connect”, with these wishes ticked."""
    action, fields = read_form(page)
    data = {"sealed": fields["sealed"], "wanted": list(wanted)}
    return tool.http.post(action, data=data, timeout=30)


def connect(
    tool: World, pretender: Pretender, address: str = "", *, token: str = TOKEN
) -> requests.Response:
    """The whole way, with everything ticked."""
    address = address or invite(tool)
    return press(tool, look(tool, address, pretender.config_url, token), *ALL)


def is_open(tool: World, address: str) -> bool:
    """Whether an invitation can be used now: nobody used it up, nobody holds it."""
    with tool.database.reading() as session:
        row = invitations.find(session, address.rsplit("/", 1)[1], now=tool.lti.clock())
        return row.held_until is None


def registered(tool: World, issuer: str) -> list[Registration]:
    with tool.database.reading() as session:
        found = select(Registration).where(Registration.issuer == issuer)
        return list(session.scalars(found.order_by(Registration.created_at)))


def served(tool: World, row: Registration) -> dict[str, set[str]]:
    """Deployments of a registration, and the schools each serves."""
    found: dict[str, set[str]] = {}
    with tool.database.reading() as session:
        for deployment_id, school_id in session.execute(
            select(Deployment.deployment_id, DeploymentSchool.school_id)
            .join(DeploymentSchool)
            .where(Deployment.registration_id == row.id)
        ):
            found.setdefault(deployment_id, set()).add(school_id)
    return found


def words(reply: requests.Response) -> str:
    return " ".join(BeautifulSoup(reply.text, "html.parser").main.get_text(" ").split())  # type: ignore[union-attr]


def unmoved(tool: World, reply: requests.Response, address: str, code: str, status: int) -> None:
    """A try that came to nothing: a page that says so, no row, the invitation as good as new."""
    refused(reply, status, code)
    assert is_open(tool, address)
