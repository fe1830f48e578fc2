"""The app package: what a Microsoft 365 administrator uploads to Teams."""

import io
import json
import zipfile
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from lti_tool.teams.icons import colour_icon, outline_icon
from lti_tool.teams.tenants import Known, Teams

SCHEMA: Final = "1.30"
VERSION: Final = "1.0.0"
"""Of the package. Teams takes a changed one only under a higher number: whoever changes what
``manifest`` says raises it; a test remembers."""
TRAINING, MANAGE = "training", "manage"
FILE_NAME: Final = "clauseway-teams.zip"
MADE: Final = (2026, 1, 1, 0, 0, 0)


def package(teams: Teams, tenant: Known) -> bytes:
    """The zip file: the manifest and two icons; the same each time."""
    files = {
        "manifest.json": json.dumps(manifest(teams, tenant), indent=2, ensure_ascii=False).encode(),
        "color.png": colour_icon(),
        "outline.png": outline_icon(),
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, MADE), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def manifest(teams: Teams, tenant: Known) -> dict[str, Any]:
    """The manifest, for one organisation's own registration of us.

    With one school the tabs name it; with several each person is asked once.
    """
    url = teams.config.url
    school = {"school": tenant.schools[0]} if len(tenant.schools) == 1 else {}
    return {
        "$schema": f"https://developer.microsoft.com/json-schemas/teams/v{SCHEMA}"
        "/MicrosoftTeams.schema.json",
        "manifestVersion": SCHEMA,
        "version": VERSION,
        "id": teams.app_id(tenant.client_id),
        "developer": {
            "name": "Clauseway",
            "websiteUrl": f"{url}/teams/about",
            "privacyUrl": f"{url}/teams/about#privacy",
            "termsOfUseUrl": f"{url}/teams/about#terms",
        },
        "name": {
            "short": "Social media policy",
            "full": "Social media policy training for school staff",
        },
        "description": {
            "short": "Learn your own school’s social media policy, answer questions and declare.",
            "full": "Staff read their own school’s social media policy, answer questions on "
            "situations from school life, see what the policy says, and declare that they have "
            "read it. The school keeps a record. Answers are for learning, not for discipline.",
        },
        "icons": {"color": "color.png", "outline": "outline.png"},
        "accentColor": "#17505C",
        "staticTabs": [
            _tab(url, TRAINING, "My training", school),
            _tab(url, MANAGE, "Manage", school | {"to": "register"}),
        ],
        "configurableTabs": [
            {
                "configurationUrl": f"{url}/teams/configure",
                "canUpdateConfiguration": True,
                "scopes": ["team", "groupChat"],
            }
        ],
        # Asked for since 1.25 of whoever has a tab in teams, though the schema does not say so:
        # also in private and shared channels. We take nothing from the channel.
        "supportsChannelFeatures": "tier1",
        "permissions": ["identity"],
        "validDomains": [urlsplit(url).netloc],
        "webApplicationInfo": {
            "id": tenant.client_id,
            "resource": teams.resource(tenant.client_id),
        },
        "defaultInstallScope": "personal",
        "showLoadingIndicator": False,
    }


def _tab(url: str, entity: str, name: str, asks: dict[str, str]) -> dict[str, Any]:
    address = f"{url}/teams/tab" + (f"?{urlencode(asks)}" if asks else "")
    return {
        "entityId": entity,
        "name": name,
        "contentUrl": address,
        "websiteUrl": address,
        "scopes": ["personal"],
    }
