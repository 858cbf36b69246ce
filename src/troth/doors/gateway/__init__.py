"""`/gateway/OWNER/API/vN/...`: APIs of others that run elsewhere, under the life cycle that troth knows of them."""
