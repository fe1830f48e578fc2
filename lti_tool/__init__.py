"""Clauseway: a school's own social media policy, taught, asked, declared and proved.

The map, from the roof to the ground; imports run downwards only:

- ``app``, ``cli``: the roof, which wires the rooms
- ``operation``: how it is run (doctor, figures, backup and restore)
- ``evidence``: what we can prove (registers, exports, verification)
- ``training``: what people did (journeys, rounds, marking, declarations, completions)
- ``lti``: the front door for learning platforms (launches in, scores out, staff lists read)
- ``curriculum``: what we teach and ask (training modules and scenarios, for one school)
- ``people`` | ``policies`` | ``ui``: who is who | what a policy says | the shared face
- ``core``: the ground (database, ledger, clock, errors, jobs)
- ``config``: below all, every setting once
"""
