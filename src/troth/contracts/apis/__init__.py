"""APIs as a repository declares them in `apis.toml`, and what a branch would do to them."""
