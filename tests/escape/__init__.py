"""A hostile program, tried in every confinement that this machine can give."""
