"""Tools that register themselves (Dynamic Registration), and the administrator's page of them."""
