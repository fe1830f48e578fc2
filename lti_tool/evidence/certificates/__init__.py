"""Certificates: one paper for each completion, with a number that anybody can look up.

Owns ``certificate``, made when it is first taken, and ``certificate_act``, by which a manager
withdraws one or lets it stand again. Its holder and the school's managers take it; whoever has
its number learns whether it holds.
"""
