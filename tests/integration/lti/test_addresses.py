"""Where a platform may send us: nowhere on this machine, unless it is on this machine itself."""

from dataclasses import replace

from lti_tool.lti.services import line_items
from tests.conformance.world import World


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
