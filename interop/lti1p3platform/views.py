"""The platform's addresses."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from lti1p3platform.framework.django.request import DjangoRequest
from lti1p3platform.framework.django.response import wrap_json_resp

from interop.lti1p3platform.platform import (
    URL,
    Grades,
    Launch,
    Login,
    Members,
    Message,
    Platform,
    keep_content,
)

SIGNED_IN = "signed-in"


def sign_in(_: HttpRequest, username: str) -> HttpResponse:
    """Be somebody."""
    reply = HttpResponse(username)
    reply.set_cookie(SIGNED_IN, username)
    return reply


def open_tool(request: HttpRequest, hint: str) -> HttpResponse:
    """Go to the tool: ``declared``, ``declared/choose`` or ``declared/<content item>``."""
    login = Login(request, Platform())
    login.set_lti_message_hint(message=Message.read(hint))
    return login.initiate_login(request.COOKIES[SIGNED_IN])


def authenticate(request: HttpRequest) -> HttpResponse:
    """Answer the tool's authentication request, for the person who is signed in alone."""
    if request.GET.get("login_hint") != request.COOKIES.get(SIGNED_IN):
        return HttpResponse(status=403)
    return Launch(DjangoRequest(request), Platform()).lti_launch()


def jwks(_: HttpRequest) -> JsonResponse:
    """The platform's keys."""
    return JsonResponse(Platform().get_jwks())


def token(request: HttpRequest) -> JsonResponse:
    """An access token."""
    return JsonResponse(Platform().get_access_token(request.POST.dict()))


def members(request: HttpRequest) -> HttpResponse:
    """The roster."""
    service = Members(DjangoRequest(request), Platform(), f"{URL}/members")
    return wrap_json_resp(service.handle_resp(service.handle_get_members))


def line_items(request: HttpRequest) -> HttpResponse:
    """The line items: list them, or make one."""
    service = Grades(DjangoRequest(request), Platform(), f"{URL}/line-items")
    handlers = {"GET": service.handle_get_lineitems, "POST": service.handle_create_lineitem}
    return wrap_json_resp(service.handle_resp(handlers[request.method or "GET"]))


def line_item(request: HttpRequest, line_item_id: str, what: str = "") -> HttpResponse:
    """One line item, its scores or its results."""
    service = Grades(
        DjangoRequest(request), Platform(), f"{URL}/line-items", f"{URL}/line-items/{line_item_id}"
    )
    handlers: dict[str, Any] = {
        "": service.handle_get_lineitem,
        "scores": service.handle_update_score,
        "results": service.handle_get_results,
    }
    return wrap_json_resp(service.handle_resp(handlers[what], line_item_id=line_item_id))


def chosen(request: HttpRequest, activity: str) -> HttpResponse:
    """Keep the content that somebody chose at the tool, with its line items."""
    sent = request.POST.dict()
    for item in Platform().validate_deeplinking_resp(sent):
        keep_content(activity, item, sent["JWT"])
    return HttpResponse("saved")


urlpatterns = [
    path("sign-in/<username>", sign_in),
    path("open/<path:hint>", open_tool),
    path("authenticate", authenticate),
    path("jwks", jwks),
    path("token", token),
    path("members", members),
    path("line-items", line_items),
    path("line-items/<line_item_id>", line_item),
    path("line-items/<line_item_id>/<what>", line_item),
    path("chosen/<activity>", chosen),
]
