"""What needs PyTorch (the extra `train`). Nothing outside this package imports it but inside a function."""

import os

# Threads that wait for each other must sleep. Spinning, the default, makes a step up to twenty times slower as soon as
# anything else runs on the machine, such as the shop's own service. Has to be said before PyTorch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
