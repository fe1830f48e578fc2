"""Where a platform may send us: nowhere on this machine, unless it is on this machine itself."""

from dataclasses import replace

import pytest

from lti_tool.lti.services import connection, line_items, outbox
from tests.conformance.world import AGS, World
from tests.factories.scoring import arrive, asked, endpoint, owe, where


def test_a_platform_elsewhere_cannot_point_us_at_this_machine(tool: World) -> None:
    here = tool.lti.registry.by_id(tool.registration_id)
    assert here is not None
    elsewhere = replace(here, auth_token_url="https://moodle.example.org/token")
    item = f"{tool.platform.issuer}/mod/lti/services.php/2/lineitems/111/lineitem"
    tool.platform.requests_seen.clear()
    reply = line_items.post_score(tool.lti, elsewhere, item, "{}")
    assert reply.status == 403
    assert list(tool.platform.requests_seen) == []
    assert line_items.post_score(tool.lti, here, item, "{}").status != 403
    assert tool.platform.requests_seen


@pytest.mark.parametrize("name", ["lineitem", "lineitems"])
def test_a_platform_cannot_point_us_into_the_network_we_stand_in(tool: World, name: str) -> None:
    """Line items are called through the same door as everything else."""
    claim = endpoint(tool)
    claim[AGS] |= {name: "https://10.1.2.3/admin"}
    if name == "lineitems":
        del claim[AGS]["lineitem"]
    completion_id = owe(tool, arrive(tool, **claim))
    outbox.send_due(tool.lti)
    assert where(tool, completion_id).reason_code == "refused"
    assert not asked(tool, "/scores")


def test_a_platform_cannot_have_its_tokens_there_either(tool: World) -> None:
    tool.register("hemswell-cliff", "hemswell-cliff", auth_token_url="https://10.1.2.3/token")
    platform = tool.lti.registry.by_id(tool.registration_id)
    assert platform is not None
    with pytest.raises(connection.TokenRefused):
        connection.access_token(tool.lti, platform, ["x"])
