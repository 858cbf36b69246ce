"""The language of queries: its two forms, and what a query says of an entity's fields. Nothing here reads a registry.

`reading.read_query` turns the JSON form into a `syntax.Query` of one entity, checked and typed; `text` has the short form.
"""
