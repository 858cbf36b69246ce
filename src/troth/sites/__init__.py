"""Documentation of releases: bundles made into sites, once, and read as they were uploaded."""
