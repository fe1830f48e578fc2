"""The dashboard: how a training stands at one school, over time, and at all schools of a manager.

Owns no table. It reads what ``training`` wrote; what a manager does here (a declaration on paper,
another due date) are training's verbs. For managers alone.
"""
