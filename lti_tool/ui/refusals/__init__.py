"""The words of refusals, by the rooms that raise them; `ui/errors.py` joins them."""
