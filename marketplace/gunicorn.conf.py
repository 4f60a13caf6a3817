"""gunicorn's settings; PORT comes from the environment like everything else."""

import os

bind = f"127.0.0.1:{os.environ.get('PORT') or 8000}"
workers = 2
worker_class = "gthread"
threads = 4
timeout = 90  # seconds; eight photos over a slow line
graceful_timeout = 5
keepalive = 5
max_requests = 5000
max_requests_jitter = 500
accesslog = None
errorlog = "-"
loglevel = "warning"
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # a heartbeat on a slow disk looks like a hang
control_socket_disable = True
