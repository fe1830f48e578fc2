"""A small platform on ``lti1p3platform``, the platform's side of LTI 1.3 from OpenLearning.

Every message, token, check and service reply is made by the library and its Django adapter. The
library keeps nothing itself: ``models`` and ``platform`` are the storage that it asks for.
"""
