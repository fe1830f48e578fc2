"""The pages around the component: signing in, a block as learners see it, and as authors do."""

from django.contrib.auth import login
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from interop.openedx.edx_platform import LmsRuntime, usage_key


def sign_in(request: HttpRequest, username: str) -> HttpResponse:
    """Be somebody."""
    login(request, User.objects.get(username=username))
    return HttpResponse(username)


def course_page(request: HttpRequest, activity: str) -> HttpResponse:
    """A block as it stands in the course."""
    block = LmsRuntime(request.user).block(usage_key(activity), request.user.id)
    return HttpResponse(block.render("student_view").content)


def studio_page(request: HttpRequest, activity: str) -> HttpResponse:
    """A block as its author sees it, with what the tool must be told."""
    block = LmsRuntime(request.user).block(usage_key(activity), request.user.id)
    return HttpResponse(block.render("author_view").content)


urlpatterns = [
    path("api/", include("lti_consumer.plugin.urls")),
    path("sign-in/<username>", sign_in),
    path("course/<activity>", course_page),
    path("studio/<activity>", studio_page),
]
