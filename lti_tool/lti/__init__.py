"""The front door for learning platforms: LTI 1.3 launches in, scores (AGS) out, rosters (NRPS)
read in ``rosters``.

Owns ``registration``, ``deployment``, ``deployment_school``, ``nonce``, ``resource_link``,
``access_token``, ``line_item``, ``reachability``, ``score_outbox``. 1EdTech's
words and claims stay inside; rooms above call ``scores.owe``, read a score's delivery and ask to
have it sent again, nothing else.
"""
