"""The pages, the faults, what survives a restart, and who is let in."""

import json
import re
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import requests

from sandbox_lms.platform import Platform, describe
from sandbox_lms.schools import KINDS, SCHOOLS
from sandbox_lms.serve import bind, running_platform
from tests.factories.certificates import certificate_for
from tests.sandbox.fake_tool import FakeTool, Services


def page(platform: Platform, path: str) -> requests.Response:
    return requests.get(platform.issuer + path, timeout=5)


def test_everybody_can_be_launched_as_at_every_school(platform: Platform) -> None:
    text = page(platform, "/").text
    for school in SCHOOLS.values():
        for kind in KINDS.values():
            assert text.count(f"Launch as {kind.label}<span> at {school.short_name}</span>") == 1
    assert not re.search("<script(?! src=)", text)
    assert "style=" not in text


@pytest.mark.parametrize("container", ["iframe", "window"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_launch_begins_in_a_frame_or_in_a_window(
    platform: Platform, tool: FakeTool, session: requests.Session, container: str, method: str
) -> None:
    form = {"person": "3000", "school": "wren-spinney", "module": "annual-refresh"}
    url = f"{platform.issuer}/launch?container={container}"
    reply = session.post(url, data={**form, "method": method}, allow_redirects=False)
    place = reply.headers["Location"]
    assert reply.status_code == 303
    assert session.cookies["sandbox_person"] == "3000"
    assert place.startswith("/activities/32?" if container == "iframe" else "/start/32?")
    start = f"{platform.issuer}/start/32?container={container}&method={method}"
    login = session.get(start, allow_redirects=False)
    if method == "get":
        assert login.headers["Location"].startswith(f"{tool.url}/lti/login?iss=")
    else:
        assert f'action="{tool.url}/lti/login"' in login.text
        assert 'name="lti_deployment_id" value="wren-spinney"' in login.text
        assert "<button>Continue</button>" in login.text


def test_one_school_cannot_launch_the_person_of_another(platform: Platform) -> None:
    form = {"person": "3000", "school": "glenmere"}
    assert requests.post(f"{platform.issuer}/launch", data=form, timeout=5).status_code == 400
    assert requests.post(f"{platform.issuer}/launch", data={}, timeout=5).status_code == 400


def test_another_new_member_of_staff(platform: Platform) -> None:
    before = set(platform.people)
    form = {"school": "llanidloes"}
    reply = requests.post(f"{platform.issuer}/people", data=form, timeout=5)
    (added,) = set(platform.people) - before
    assert f"Launch as {platform.people[added].name}, also new" in reply.text
    assert platform.is_gradable("6", added)


def test_many_new_members_of_staff_have_names_of_their_own(platform: Platform) -> None:
    school = SCHOOLS["glenmere"]
    names = [platform.enrol_starter(school).name for _ in range(60)]
    assert len(set(names)) == 60


def test_the_gradebook_shows_what_arrived(platform: Platform, services: Services) -> None:
    before = page(platform, "/schools/hemswell-cliff/gradebook").text
    assert "No score yet" in before
    assert "Cannot be scored" in before
    services.score(comment="<b>Passed</b>")
    after = page(platform, "/schools/hemswell-cliff/gradebook").text
    assert "<strong>85/100</strong>" in after
    assert "&lt;b&gt;Passed&lt;/b&gt;" in after
    assert "2026-11-23 09:00:00 UTC" in after
    assert "Completed, FullyGraded" in after
    assert after.count("No score yet") == before.count("No score yet") - 1


def test_the_way_back(platform: Platform) -> None:
    shown = page(platform, "/return?lti_errormsg=<i>no</i>&sesskey=x").text
    assert "&lt;i&gt;no&lt;/i&gt;" in shown
    assert "See you" in page(platform, "/return?lti_msg=See+you").text
    assert "Who would you like to be" in page(platform, "/return").text


def test_unknown_places_are_404(platform: Platform) -> None:
    for path in ("/schools/x/gradebook", "/activities/99", "/start/99", "/nowhere"):
        assert page(platform, path).status_code == 404


def test_a_fault_lasts_until_it_is_cleared(platform: Platform, services: Services) -> None:
    url = f"{platform.issuer}/faults"
    fault = {"target": "scores", "fault": "503", "seconds": 7}
    state = requests.post(url, json=fault, timeout=5).json()
    assert state["scores"] == {"kind": "503", "seconds": 7.0, "times": None, "share": 1}
    for _ in range(2):
        refused = services.score()
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "7")
    assert services.results() == []
    assert "503 service unavailable, 7 seconds" in page(platform, "/faults").text
    requests.post(url, data={"target": "all", "fault": "none"}, timeout=5)
    assert services.score().status_code == 200


def test_a_fault_may_hit_so_many_times_only(platform: Platform, services: Services) -> None:
    platform.faults.put("scores", "401", times=2)
    assert [services.score().status_code for _ in range(3)] == [401, 401, 200]


def test_a_connection_can_be_lost_before_and_after_the_work(
    platform: Platform, services: Services
) -> None:
    platform.faults.put("scores", "reset", times=1)
    with pytest.raises(requests.ConnectionError):
        services.score()
    assert services.results() == []
    platform.faults.put("scores", "lost-reply", times=1)
    with pytest.raises(requests.ConnectionError):
        services.score()
    assert services.results()[0]["resultScore"] == 85
    assert services.score().status_code == 409


def test_slow_is_slow(platform: Platform) -> None:
    platform.faults.put("jwks", "slow", seconds=0.3)
    began = time.monotonic()
    assert page(platform, "/jwks").status_code == 200
    assert time.monotonic() - began >= 0.3


def test_unknown_faults_are_refused(platform: Platform) -> None:
    url = f"{platform.issuer}/faults"
    for bad in ({"target": "scores", "fault": "flood"}, {"target": "moon", "fault": "503"}):
        assert requests.post(url, json=bad, timeout=5).status_code == 400


def test_a_restart_keeps_keys_people_scores_and_tokens(tmp_path: Path, tool: FakeTool) -> None:
    with running_platform(tool_url=tool.url, state=tmp_path) as platform:
        added = platform.enrol_starter(SCHOOLS["glenmere"])
        token = platform.issue_token(["https://purl.imsglobal.org/spec/lti-ags/scope/score"])
        with requests.Session() as session:
            Services(platform, session).score(comment="Passed")
        kid = platform.keys[-1].kid
    (kept,) = tmp_path.iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert token not in kept.read_text()
    with running_platform(tool_url=tool.url, state=tmp_path) as again:
        assert again.keys[-1].kid == kid
        assert again.people[added.id] == added
        grade = again.gradebook.grade(111, "1000")
        assert grade is not None
        assert (grade.score, grade.comment) == (85, "Passed")
        assert again.token_allows(token, ("https://purl.imsglobal.org/spec/lti-ags/scope/score",))


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.org", "::"])
def test_it_listens_on_this_machine_only(host: str) -> None:
    with pytest.raises(ValueError, match="this machine only"):
        bind(host, 0)


def test_who_connects_and_says_nothing_holds_up_nobody(tmp_path: Path) -> None:
    certificate = certificate_for(tmp_path, "localhost")
    server = bind("127.0.0.1", 0, certificate=str(certificate))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        with socket.create_connection(("127.0.0.1", server.port)):
            time.sleep(0.2)  # until it has been accepted
            url = f"https://localhost:{server.port}/"
            assert requests.get(url, verify=str(certificate), timeout=5).status_code == 404
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_names_of_other_hosts_are_not_answered(platform: Platform) -> None:
    headers = {"Host": "rebound.example"}
    assert requests.get(platform.issuer, headers=headers, timeout=5).status_code == 400


def sandbox(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sandbox_lms", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_it_describes_itself() -> None:
    said = json.loads(sandbox("--describe", "--port", "8765").stdout)
    assert said == describe("http://127.0.0.1:8765")
    assert said["jwks_url"] == "http://127.0.0.1:8765/jwks"
    assert [one["school"] for one in said["deployments"]] == list(SCHOOLS)
    assert said["deployments"][0]["headteacher"]["sub"] == "1001"


def test_what_cannot_start_says_why_in_a_sentence(tmp_path: Path) -> None:
    abroad = sandbox("--host", "0.0.0.0")
    assert abroad.returncode == 1
    assert abroad.stderr.startswith("The sandbox lets anybody be anybody")
    (tmp_path / "sandbox.json").write_text("{")
    spoilt = sandbox("--data", str(tmp_path))
    assert spoilt.returncode == 1
    assert spoilt.stderr.startswith("The sandbox cannot use what is in")
    assert "Traceback" not in spoilt.stderr
