"""Whether Entra knows an organisation, asked of its discovery document (OpenID Connect Discovery
1.0) when somebody adds it: so a mistyped tenant ID is found out before the first sign-in."""

import json
from typing import Final

from lti_tool.core.outside import HostRefused, Outage
from lti_tool.teams.tenants import Teams, guid

PATH: Final = "v2.0/.well-known/openid-configuration"


def fault_of(teams: Teams, tenant_id: str) -> str:
    """What speaks against this tenant ID, in a sentence; empty where nothing does."""
    tenant_id = guid(tenant_id)
    if not tenant_id:
        return "the tenant id is no GUID"
    try:
        answer = teams.outside.call(
            "GET",
            f"{teams.authority}/{tenant_id}/{PATH}",
            headers={"Accept": "application/json"},
        )
    except (HostRefused, Outage) as fault:
        return f"Entra could not be asked about the tenant: {fault}"
    if not answer.is_ok:
        return f"Entra knows no tenant {tenant_id}"
    try:
        said = json.loads(answer.body)
        found = said["issuer"], said["jwks_uri"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return "what Entra answered is no discovery document"
    here = f"{teams.authority}/{tenant_id}"
    if found != (f"{here}/v2.0", f"{here}/discovery/v2.0/keys"):
        return f"Entra names another issuer than {here}/v2.0: see CLAUSEWAY_ENTRA_AUTHORITY"
    return ""
