"""Whether Clauseway works with learning platforms that we did not write.

Each platform runs as a real server in an environment of its own, made from a lock file of its
own; the tool runs as in production. ``make interop`` builds the environments and drives both.
"""
