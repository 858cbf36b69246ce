"""Documentation: pages in Markdown, and the programs that write the reference pages and build the site."""
