import os

# Before numpy is loaded. Its products are small here: handing them to a second thread takes longer than they do, and
# the cores are shared by several processes.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
