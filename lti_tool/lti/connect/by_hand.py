"""What to copy where a platform is connected by hand, in each product's own words.

Names of pages and fields are the products' own, as their help pages have them, and stay in
English. What was tried with what stands in docs/platform-setup.md.
"""

from dataclasses import dataclass
from typing import Final

from flask_babel import gettext as _

COMMAND: Final = """\
clauseway platforms add --name "Our platform" \\
  --school YOUR-SCHOOL \\
  --issuer … --client-id … --deployment-id … \\
  --auth-login-url … --auth-token-url … \\
  --jwks-url …"""


@dataclass(frozen=True)
class Product:
    """One product: where its form is, what goes into it, and what it gives in return."""

    id: str
    name: str
    where: tuple[str, ...]
    """The way to the form, page by page."""
    fields: tuple[tuple[str, str], ...]
    """The form's fields, and what to fill in."""
    gives: tuple[tuple[str, str], ...]
    """An option of ``clauseway platforms add``, and what the product calls its value."""
    then: tuple[str, ...]


def addresses(url: str) -> dict[str, str]:
    """Every address of ours that a platform may ask for."""
    return {
        "login": f"{url}/lti/login",
        "launch": f"{url}/lti/launch",
        "keys": f"{url}/lti/jwks",
        "icon": f"{url}/connect/icon.svg",
    }


def products(url: str) -> tuple[Product, ...]:
    """The products we know the words of, in the language of the request."""
    to = addresses(url)
    domain = url.partition("://")[2]
    name = _("Social media policy training")
    custom = "school=YOUR-SCHOOL\nmodule=induction"
    return (
        Product(
            "moodle",
            "Moodle",
            (
                "Site administration",
                "Plugins",
                "Activity modules",
                "External tool",
                "Manage tools",
                "Configure a tool manually",
            ),
            (
                ("Tool name", name),
                ("Tool URL", to["launch"]),
                ("LTI version", "LTI 1.3"),
                ("Public key type", "Keyset URL"),
                ("Public keyset", to["keys"]),
                ("Initiate login URL", to["login"]),
                ("Redirection URI(s)", to["launch"]),
                ("Custom parameters", custom),
                (
                    "Tool configuration usage",
                    "Show in activity chooser and as a preconfigured tool",
                ),
                ("Default launch container", "New window"),
                ("Supports Deep Linking (Content-Item Message)", _("ticked")),
                ("Content Selection URL", to["launch"]),
                ("Icon URL", to["icon"]),
                (
                    "IMS LTI Assignment and Grade Services",
                    "Use this service for grade sync and column management",
                ),
                (
                    "IMS LTI Names and Role Provisioning",
                    "Use this service to retrieve members' information as per privacy settings",
                ),
                ("Share launcher's name with tool", _("Always, or Never: people then type it")),
                (
                    "Share launcher's email with tool",
                    _("Never, unless you want managers to see it"),
                ),
            ),
            (
                ("--issuer", "Platform ID"),
                ("--client-id", "Client ID"),
                ("--deployment-id", "Deployment ID"),
                ("--jwks-url", "Public keyset URL"),
                ("--auth-token-url", "Access token URL"),
                ("--auth-login-url", "Authentication request URL"),
            ),
            (
                _(
                    "Custom parameters: leave them empty where activities are chosen by “Select "
                    "content”, or where the platform serves several schools."
                ),
                _("The tool’s card shows what to give us, under “View configuration details”."),
            ),
        ),
        Product(
            "canvas",
            "Canvas",
            ("Admin", "Developer Keys", "+ Developer Key", "+ LTI Key", "Manual Entry"),
            (
                ("Key Name, Title", name),
                ("Redirect URIs", to["launch"]),
                ("Target Link URI", to["launch"]),
                ("OpenID Connect Initiation Url", to["login"]),
                ("JWK Method", "Public JWK URL"),
                ("Public JWK URL", to["keys"]),
                (
                    "LTI Advantage Services",
                    _("the assignment and grade services, and the list of a course’s members"),
                ),
                ("Custom Fields", custom),
                ("Icon Url", to["icon"]),
                ("Placements", _("Assignment Selection and Link Selection")),
                ("Message type", "LtiDeepLinkingRequest"),
                ("Privacy Level", _("Public, or Name Only")),
            ),
            (
                ("--client-id", "the number under Details"),
                ("--deployment-id", "Settings > Apps > the app’s menu > Deployment ID"),
                ("--issuer", "https://canvas.instructure.com"),
                ("--auth-login-url", "https://sso.canvaslms.com/api/lti/authorize_redirect"),
                ("--auth-token-url", "https://sso.canvaslms.com/login/oauth2/token"),
                ("--jwks-url", "https://sso.canvaslms.com/api/lti/security/jwks"),
            ),
            (
                _("Set the key’s State to On, then add the app: Settings, Apps, by Client ID."),
                _(
                    "The addresses are those of Instructure’s own Canvas. One that a school runs "
                    "itself has its own."
                ),
            ),
        ),
        Product(
            "brightspace",
            "Brightspace",
            ("Admin Tools", "Manage Extensibility", "LTI Advantage", "Register Tool", "Standard"),
            (
                ("Name", name),
                ("Domain", url),
                ("Redirect URLs", to["launch"]),
                ("OpenID Connect Login URL", to["login"]),
                ("Target Link URI", to["launch"]),
                ("Keyset URL", to["keys"]),
                (
                    "Extensions",
                    "Assignment and Grade Services, Deep Linking, "
                    "Names and Role Provisioning Services",
                ),
            ),
            (
                ("--client-id", "Client Id"),
                ("--issuer", "Issuer"),
                ("--jwks-url", "Brightspace Keyset URL"),
                ("--auth-token-url", "Brightspace OAuth2 Access Token URL"),
                ("--auth-login-url", "OpenID Connect Authentication Endpoint"),
                ("--auth-audience", "Brightspace OAuth2 Audience"),
                ("--deployment-id", "Deployment Id, of the deployment you make next"),
            ),
            (
                _("Then make a deployment: External Learning Tools, New Deployment."),
                _("Its security settings say whether name and e-mail are sent."),
            ),
        ),
        Product(
            "blackboard",
            "Blackboard",
            ("developer.blackboard.com", "My Apps", "+", "My integration supports LTI 1.3"),
            (
                ("Application Name", name),
                ("Domain(s)", domain),
                ("Login Initiation URL", to["login"]),
                ("Tool Redirect URL(s)", to["launch"]),
                ("Tool JWKS URL", to["keys"]),
                ("Signing Algorithm", "RS256"),
                ("Custom Parameters", custom),
            ),
            (
                ("--client-id", "Application ID"),
                ("--issuer", "Issuer"),
                ("--jwks-url", "Public keyset URL"),
                ("--auth-token-url", "Auth token endpoint"),
                ("--auth-login-url", "OIDC auth request endpoint"),
                ("--deployment-id", "Deployment ID, under Admin > LTI Tool Providers"),
            ),
            (
                _(
                    "The application is made once on the developers’ site. In Blackboard itself: "
                    "Admin, LTI Tool Providers, Register LTI 1.3/Advantage Tool, with the "
                    "Application ID as Client ID."
                ),
                _("There, allow grade service and membership service, and make a placement:"),
                _(
                    "type “Deep Linking content tool”, with this Target Link URI: %(url)s",
                    url=to["launch"],
                ),
            ),
        ),
        Product(
            "openedx",
            "Open edX",
            ("Studio", "Add New Component", "Advanced", "LTI Consumer", "Edit"),
            (
                ("Display Name", name),
                ("LTI Version", "LTI 1.3"),
                ("Launch URL", to["launch"]),
                ("Tool Initiate Login URL (OIDC)", to["login"]),
                ("Registered Redirect URIs", f'["{to["launch"]}"]'),
                ("Tool Public Key Mode", "Keyset URL"),
                ("Tool Keyset URL", to["keys"]),
                ("Names & Roles (NRPS)", "True"),
                ("Deep linking", "True"),
                ("Deep Linking Launch URL", to["launch"]),
                ("Assignment and Grades", "Programmatic"),
                ("Custom Parameters", '["school=YOUR-SCHOOL", "module=induction"]'),
                ("Open tool in", "New Window"),
                ("This activity is graded", "True"),
                ("Share Full name", _("True, or False: people then type it")),
                ("Share Email", _("False, unless you want managers to see it")),
            ),
            (
                ("--issuer", "the address of the LMS, without a slash at its end"),
                ("--client-id", "Client ID"),
                ("--deployment-id", "Deployment ID"),
                ("--jwks-url", "Keyset URL"),
                ("--auth-token-url", "Access Token URL"),
                ("--auth-login-url", "Login URL"),
            ),
            (
                _("Each component is a client of its own: give us the values of each."),
                _("Older releases word some of these fields a little differently."),
                _("“LTI Consumer” needs lti_consumer in the course’s Advanced Module List."),
            ),
        ),
    )
