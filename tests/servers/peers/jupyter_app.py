"""Jupyter Server: the channels of a kernel, at a fixed path and with a fixed token."""

import sys

from jupyter_server.serverapp import ServerApp

server = ServerApp()
server.initialize([
    f"--port={sys.argv[1]}", "--ip=127.0.0.1", "--no-browser", "--allow-root", "--IdentityProvider.token=token",
    "--ServerApp.port_retries=0", "--ServerApp.root_dir=.", "--log-level=CRITICAL",
], new_httpserver=False)
server.io_loop.run_sync(lambda: server.kernel_manager.start_kernel(kernel_id="00000000-0000-0000-0000-000000000001"))
server.init_httpserver()
server.start()
