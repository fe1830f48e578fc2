"""Microsoft Teams, played: an Entra of our own that issues tokens, and a page that is the host of a
tab for the real TeamsJS. What it cannot show is said in docs/teams-setup.md."""
