"""What troth remembers: accounts, keys, algorithms, builds, versions, commands and the journal, in one SQL database."""
