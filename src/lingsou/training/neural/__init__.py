"""What needs PyTorch (the extra `train`). Nothing outside this package imports it but inside a function."""

import os

# Threads that wait for each other must sleep. Beside other work, such as the shop's own service, spinning took nine
# times the processor time (13.1 s instead of 1.4); alone on a machine it is the faster of the two, and can be asked for
# by setting the variable. Has to be said before PyTorch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
