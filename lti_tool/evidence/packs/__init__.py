"""Packs: one zip of evidence for governors, managers or an inspector, made in the background.

Owns ``pack``: what was asked for, how far it is, where its file lies. A manager enters.
"""
