"""`make ops-test`: what operations do to an installation, done to one on this machine; no part of `make test`."""
