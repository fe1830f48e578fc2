"""What the platform keeps: line items, scores and chosen content."""

from django.db import models


class LineItem(models.Model):
    """A column of the gradebook."""

    label = models.CharField(max_length=255)
    score_maximum = models.FloatField()
    resource_id = models.CharField(max_length=255, default="")
    tag = models.CharField(max_length=255, default="")
    resource_link_id = models.CharField(max_length=255, default="")


class Score(models.Model):
    """The latest score of a person."""

    line_item = models.ForeignKey(LineItem, models.CASCADE)
    user_id = models.CharField(max_length=255)
    score_given = models.FloatField()
    score_maximum = models.FloatField()
    comment = models.TextField(default="")
    timestamp = models.DateTimeField()


class ContentItem(models.Model):
    """Content that deep linking chose for a place in the course."""

    activity = models.CharField(max_length=255)
    url = models.CharField(max_length=500)
    custom = models.JSONField()
