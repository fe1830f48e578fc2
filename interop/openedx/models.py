"""The tables of edx-platform that the component reaches through its compatibility layer."""

from collections.abc import Iterable
from uuid import uuid4

from django.contrib.auth.models import User
from django.db import models


class UserProfile(models.Model):
    """A person's full name, which edx-platform keeps apart from the account."""

    user = models.OneToOneField(User, models.CASCADE, related_name="profile")
    name = models.CharField(max_length=255)


class ExternalIdType(models.Model):
    """Whom an external id is for; here only ``lti``."""

    name = models.CharField(max_length=32, unique=True)


class ExternalId(models.Model):
    """What a person is called outside."""

    user = models.ForeignKey(User, models.CASCADE)
    external_id_type = models.ForeignKey(ExternalIdType, models.CASCADE)
    external_user_id = models.UUIDField(default=uuid4, unique=True)

    @classmethod
    def batch_get_or_create_user_ids(
        cls, users: Iterable[User], type_name: str
    ) -> dict[int, "ExternalId"]:
        """The external id of each of these people, by the number of their account."""
        kind, _ = ExternalIdType.objects.get_or_create(name=type_name)
        return {
            user.id: cls.objects.get_or_create(user=user, external_id_type=kind)[0]
            for user in users
        }


class Grade(models.Model):
    """What the component published to the gradebook, the latest for each block and person."""

    usage_key = models.CharField(max_length=255)
    user = models.ForeignKey(User, models.CASCADE)
    earned = models.FloatField(null=True)
    possible = models.FloatField(null=True)
