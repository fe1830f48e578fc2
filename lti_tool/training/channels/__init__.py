"""Reminders to a channel of Microsoft Teams: a card with numbers, nobody's name, once a week.

Tables: teams_channel, teams_post. Managers of a school enter; the worker posts. Off until a school
switches it on. It goes to a webhook of the channel's own (Workflows), so no bot and no permission
of Microsoft's is needed.
"""
