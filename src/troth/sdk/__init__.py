"""What applications and the command line use to talk to a server; it needs no part of one."""

from troth.sdk.client import Client
from troth.sdk.replies import Answer

__all__ = ["Answer", "Client"]
