"""What applications and the command line use to talk to a server; it needs no part of one."""

from troth.sdk.client import Answer, Client

__all__ = ["Answer", "Client"]
