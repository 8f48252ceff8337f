"""PgBouncer in front of a database."""

import os
import subprocess

from .database import NOBODY, free_port, unprivileged

PROGRAM = "/usr/sbin/pgbouncer"

CONFIG = """
[databases]
postgres = host=127.0.0.1 port={database} dbname=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {directory}/users
pool_mode = {mode}
max_client_conn = 200
default_pool_size = 20
# After a failed connection PgBouncer would wait 15 seconds before the next one.
server_login_retry = 1
"""


class PgBouncer:
    def __init__(self, directory, database, mode):
        os.mkdir(directory)
        self.port = free_port()
        config = CONFIG.format(database=database.port, port=self.port, directory=directory, mode=mode)
        for name, text in (("config", config), ("users", '"callboard" ""\n')):
            with open(os.path.join(directory, name), "w") as out:
                out.write(text)
        if os.geteuid() == 0:
            os.chown(directory, NOBODY, NOBODY)
        log = open(os.path.join(directory, "log"), "wb")
        self.process = subprocess.Popen(
            [PROGRAM, os.path.join(directory, "config")], stdout=log, stderr=log, cwd="/", **unprivileged()
        )

    def stop(self):
        self.process.kill()
        self.process.wait()
