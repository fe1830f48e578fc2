"""The front door for Microsoft Teams: sign-in by Microsoft Entra, tabs, and the way to set them up.

Tables: teams_tenant, teams_tenant_school, teams_channel, teams_post. Teams is no learning platform:
a tab shows our own pages in a frame, and what proves who comes is an access token of Entra's for
our own API. It becomes the same ``Arrival`` as a launch; nothing above knows the difference, and
nothing here knows of ``lti``. Anybody may knock; whoever brings no good token learns what to ask
of whom.
"""
