"""What all rooms share: compiled kernels stay in the user's cache, and two threads can be asked for anywhere."""

from __future__ import annotations

import os

# Before Numba is imported: a machine with one core must still be able to compare one thread with two.
os.environ.setdefault("NUMBA_NUM_THREADS", str(max(2, os.cpu_count() or 1)))
