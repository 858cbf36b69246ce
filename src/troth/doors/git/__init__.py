"""Git over HTTP, served by git itself."""
