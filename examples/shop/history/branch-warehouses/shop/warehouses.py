"""Where orders are sent from."""

WAREHOUSES = ("north", "south")
