"""Dynamic Registration 1.0: an invitation is good once, for a week, and never half."""

import json
import threading
import time
from datetime import timedelta

import pytest
import requests
from sqlalchemy import func, select

from lti_tool.lti.connect import invitations
from lti_tool.lti.connect.models import Invitation
from sandbox_lms.visitor import read_form
from tests.conformance.world import SCHOOL, World, refused
from tests.conftest import SetClock
from tests.factories.connecting import ALL, invite, is_open, look, press, registered
from tests.factories.platforms import Pretender


@pytest.mark.parametrize("state", ["unknown", "expired", "withdrawn", "used"])
def test_dr_3_only_a_good_invitation_leads_anywhere(
    tool: World, pretender: Pretender, clock: SetClock, state: str
) -> None:
    address = invite(tool)
    page = look(tool, address, pretender.config_url)
    pretender.asked.clear()
    secret = address.rsplit("/", 1)[1]
    if state == "unknown":
        address = f"{tool.url}/connect/register/{secret[:-1]}"
    elif state == "expired":
        with tool.database.transaction() as session:
            invitations.find(session, secret, now=clock()).expires_at = clock()
    elif state == "withdrawn":
        with tool.database.transaction() as session:
            row = invitations.find(session, secret, now=clock())
            invitations.withdraw(session, row.id, school_id=SCHOOL, now=clock())
    else:
        assert press(tool, page).status_code == 200
    before = len(pretender.asked), len(registered(tool, pretender.url))
    status = 404 if state == "unknown" else 410
    code = f"invitation-{state}"
    refused(tool.http.get(address, timeout=30), status, code)
    reply = look(tool, address, pretender.config_url)
    refused(reply, status, code)
    assert "frame-ancestors *" in reply.headers["Content-Security-Policy"]
    data = {"sealed": read_form(page)[1]["sealed"]}
    refused(tool.http.post(address, data=data, timeout=30), status, code)
    assert (len(pretender.asked), len(registered(tool, pretender.url))) == before


def test_dr_3_an_invitation_is_good_for_seven_days(tool: World, clock: SetClock) -> None:
    address = invite(tool)
    secret = address.rsplit("/", 1)[1]
    with tool.database.reading() as session:
        row = invitations.find(session, secret, now=clock())
    assert row.expires_at - clock() == timedelta(days=7)
    assert secret not in json.dumps([str(value) for value in vars(row).values()])


def test_dr_3_two_tabs_at_once_make_one_registration(tool: World, pretender: Pretender) -> None:
    address = invite(tool)
    pages = [look(tool, address, pretender.config_url, "") for _ in range(4)]
    pretender.answer.seconds = 0.5
    statuses: list[int] = []

    def send(page: requests.Response) -> None:
        action, fields = read_form(page)
        reply = requests.post(action, data={"sealed": fields["sealed"]}, timeout=30)
        statuses.append(reply.status_code)

    threads = [threading.Thread(target=send, args=(page,)) for page in pages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 409, 409, 409]
    assert len(pretender.registrations()) == 1
    assert len(registered(tool, pretender.url)) == 1


def test_dr_3_what_is_withdrawn_meanwhile_connects_nothing(
    tool: World, pretender: Pretender
) -> None:
    address = invite(tool)
    page = look(tool, address, pretender.config_url)
    pretender.answer.seconds = 2
    replies: list[requests.Response] = []
    registering = threading.Thread(target=lambda: replies.append(press(tool, page, *ALL)))
    registering.start()
    while not pretender.registrations():
        time.sleep(0.02)
    with tool.database.transaction() as session:
        row = invitations.find(session, address.rsplit("/", 1)[1], now=tool.lti.clock())
        invitations.withdraw(session, row.id, school_id=SCHOOL, now=tool.lti.clock())
    registering.join()
    refused(replies[0], 410, "invitation-withdrawn")
    assert registered(tool, pretender.url) == []


def test_dr_3_a_registration_that_died_holds_the_invitation_half_a_minute(
    tool: World, pretender: Pretender, clock: SetClock
) -> None:
    address = invite(tool)
    page = look(tool, address, pretender.config_url)
    with tool.database.transaction() as session:
        invitations.hold(session, address.rsplit("/", 1)[1], now=clock())
    refused(press(tool, page), 409, "invitation-busy")
    clock.move(seconds=31)
    assert press(tool, page).status_code == 200


def test_dr_3_a_fault_of_ours_writes_nothing(
    tool: World, pretender: Pretender, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever breaks between the platform's answer and our commit: no half a registration."""

    def breaks(*args: object, **kwargs: object) -> None:
        raise RuntimeError

    address = invite(tool)
    page = look(tool, address, pretender.config_url)
    monkeypatch.setattr("lti_tool.lti.connect.registering.make_manager_code", breaks)
    assert press(tool, page).status_code == 500
    monkeypatch.undo()
    assert not registered(tool, pretender.url)
    assert is_open(tool, address)
    with tool.database.reading() as session:
        used = select(func.count()).select_from(Invitation).where(Invitation.used_at.isnot(None))
        before = session.scalar(used) or 0
    assert press(tool, page).status_code == 200
    with tool.database.reading() as session:
        assert session.scalar(used) == before + 1
