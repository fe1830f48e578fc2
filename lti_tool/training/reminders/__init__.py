"""Reminders by e-mail: who gets which today, and what became of each.

Owns ``reminder_settings``, ``reminder_batch`` and ``reminder``. ``planning`` alone decides who is
written to; ``delivery`` claims a mail, hands it to the server and notes the answer, so that none
goes twice. Managers of the school enter; nothing is sent until they switch it on.
"""
