"""Reports on orders. This component is beta."""
