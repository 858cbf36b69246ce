"""Confinement of processes: what is put around a worker, and the proof by doing that it holds.

`launcher` plans and starts, `launch` is the small program that carries a plan out, `seccomp` writes the system call
filter, `isolation` measures with `probe` what a process started so can really do.
"""
