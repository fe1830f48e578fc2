"""Open edX's own LTI component, ``lti-consumer-xblock``, served without the rest of Open edX.

Its views, models, tables, templates and checks are theirs and run as released. What it asks of
the surrounding edx-platform is in ``edx_platform`` and ``models``, and nothing else is ours.
"""
