"""What needs PyTorch (the extra `train`). Nothing outside this package imports it but inside a function."""

import os

# Threads that wait for each other must sleep. Spinning, the default, took nine times the processor time
# (13.1 s instead of 1.4) beside other work, such as the shop's own service; alone, a step may be half as fast again. Has to be said before PyTorch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
