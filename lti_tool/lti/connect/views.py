"""Pages of connecting a platform: invitations, the registration itself, and doing it by hand."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, current_app, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from itsdangerous import BadSignature, URLSafeSerializer
from marshmallow import EXCLUDE, ValidationError
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from lti_tool.core.errors import ToolError
from lti_tool.core.limits import LOOK_UPS
from lti_tool.core.secret import derived_secret
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.lti.connect import by_hand, invitations, offers, registering
from lti_tool.lti.connect.offers import Offer
from lti_tool.lti.connect.schemas import RegisterForm
from lti_tool.lti.platforms import Lti
from lti_tool.people.access import manager, public
from lti_tool.ui.assets import asset_bytes

blueprint = Blueprint("connect", __name__, url_prefix="/connect", template_folder="../templates")

OFFER_LIFE: Final = timedelta(hours=1)
"""As long as Moodle's registration tokens live."""


@blueprint.get("/register/<secret>")
@public(csrf=False, limit=LOOK_UPS)
def register(secret: str) -> str:
    """Where an invitation leads: a platform sends its administrator here to register us.

    Opened without a platform, by whoever was sent the address, it says what to do with it.
    """
    lti = _lti()
    with lti.database.reading() as session:  # and no longer: a platform is asked below
        invitation = invitations.find(session, secret, now=g.now)
        schools = _names(invitations.schools_of(session, invitation))
    config_url = request.args.get("openid_configuration", "")
    if not config_url:
        return render_template(
            "connect/invitation.html",
            address=f"{lti.config.url}{url_for('.register', secret=secret)}",
            schools=schools,
            expires_at=invitation.expires_at,
        )
    token = request.args.get("registration_token", "")
    offer = offers.discover(lti.outside, config_url, token)
    g.frame_ancestors = (offers.framed_by(config_url),)
    sealed = _seal(lti).dumps(
        [str(invitation.id), config_url, token, _stamp(g.now + OFFER_LIFE), asdict(offer)]
    )
    return render_template(
        "connect/confirm.html", secret=secret, offer=offer, schools=schools, sealed=sealed
    )


@blueprint.post("/register/<secret>")
@public(csrf=False, limit=LOOK_UPS)
def confirm(secret: str) -> str:
    """Register. The invitation and what we signed ourselves are the form's credential."""
    lti = _lti()
    try:
        form: dict[str, Any] = RegisterForm(unknown=EXCLUDE).load(
            {
                "sealed": request.form.get("sealed", ""),
                "wanted": request.form.getlist("wanted"),
            }
        )
        invitation_id, config_url, token, until, offered = _seal(lti).loads(form["sealed"])
    except (ValidationError, BadSignature) as fault:
        raise ToolError("form-incomplete") from fault
    if until < _stamp(g.now):
        raise ToolError("registration-link-old")
    offer = Offer(**offered)
    outcome = registering.register(
        lti,
        g.session,
        secret,
        invitation_id=UUID(invitation_id),
        offer=offer,
        token=token,
        wanted=form["wanted"],
        words=registering.Words(
            _("Social media policy training"),
            _("Staff learn their own school’s social media policy, answer questions and declare."),
        ),
        now=g.now,
    )
    framed_by = offers.framed_by(config_url)
    g.frame_ancestors = (framed_by,)
    return render_template(
        "connect/registered.html",
        offer=offer,
        outcome=outcome,
        schools=_names(outcome.schools),
        codes=[(_names([school])[0], code) for school, code in outcome.codes.items()],
        # A message cannot be addressed to every school's Canvas; it says nothing but "close".
        close_to="*" if "*" in framed_by else framed_by,
    )


@blueprint.get("/by-hand")
@public()
def manual() -> str:
    """Every address to copy, for each product in its own words."""
    url = _lti().config.url
    catalogue: Catalogue = current_app.extensions["catalogue"]
    return render_template(
        "connect/by_hand.html",
        addresses=by_hand.addresses(url),
        products=by_hand.products(url),
        command=by_hand.COMMAND,
        modules=sorted(catalogue.modules),
    )


@blueprint.get("/icon.svg")
@public(csrf=False)
def icon() -> Response:
    """Our mark, for the pages of platforms."""
    response = Response(asset_bytes("favicon.svg"), mimetype="image/svg+xml")
    response.headers["Cache-Control"] = "public, max-age=86400"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@blueprint.get("/invitations")
@manager()
def listed() -> str:
    """The school's invitations, and a button that makes one."""
    return _list(g.session)


@blueprint.post("/invitations")
@manager()
def invite() -> str:
    """Make an invitation and show its address: this once, so there is no redirect."""
    secret = invitations.invite(
        g.session, schools=[g.visit.school_id], now=g.now, made_by=g.visit.person_id
    )
    return _list(g.session, f"{_lti().config.url}{url_for('.register', secret=secret)}")


@blueprint.post("/invitations/<uuid:invitation_id>/withdraw")
@manager()
def withdraw(invitation_id: UUID) -> AnyResponse:
    """Make an invitation useless."""
    invitations.withdraw(g.session, invitation_id, school_id=g.visit.school_id, now=g.now)
    return redirect(url_for(".listed"), 303)


def _list(session: Session, made: str = "") -> str:
    lines = invitations.listed(session, school_id=g.visit.school_id, now=g.now)
    return render_template("connect/invitations.html", lines=lines, made=made)


def _names(schools: tuple[str, ...] | list[str]) -> list[str]:
    known = current_app.extensions["catalogue"].schools
    return [known[slug].name if slug in known else slug for slug in schools]


def _seal(lti: Lti) -> URLSafeSerializer:
    """What we sign what a platform offered with, so that what was read is what is registered."""
    return URLSafeSerializer(derived_secret(lti.config, "lti-connect"), salt="offer")


def _stamp(moment: datetime) -> int:
    return int(moment.timestamp())


def _lti() -> Lti:
    lti: Lti = current_app.extensions["lti"]
    return lti
