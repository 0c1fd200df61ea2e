"""A real nginx on a node: answers with the node's name, and can be killed, restarted and slowed down."""
import signal
import time

from . import sandbox
from .processes import PATIENCE, wait_until

CONFIGURATION = """\
user root;
worker_processes 1;
daemon off;
pid {directory}/pid;
error_log {directory}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    keepalive_timeout 0;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    default_type text/plain;
    server {{
        listen 80 backlog=4096;
        listen [::]:80 ipv6only=on backlog=4096;
        {answer}
    }}
}}
"""
FAST = 'location / {{ return 200 "{name}\\n"; }}'
# nginx has no "wait a while", but it delays its answer to those who give no password; we make that answer a 200.
SLOW = """
        location / {{ auth_delay {delay}ms; auth_basic lab; auth_basic_user_file {directory}/nobody; error_page 401 =200 @late; }}
        location @late {{ auth_basic off; return 200 "{name}\\n"; }}"""


class Nginx:
    def __init__(self, host):
        self._host = host
        self._directory = sandbox.WORK / f"{host.name}.nginx"
        self._directory.mkdir(exist_ok=True)
        (self._directory / "nobody").touch()
        self._process = host.process(
            "nginx", "nginx", "-c", self._directory / "nginx.conf", "-e", self._directory / "error.log"
        )
        self.slow = False
        self._write(FAST)

    def _write(self, answer, **values):
        values = {"name": self._host.name, "directory": self._directory, **values}
        text = CONFIGURATION.format(answer=answer.format(**values), **values)
        (self._directory / "nginx.conf").write_text(text, encoding="ascii")

    def start(self):
        self.slow = False
        self._write(FAST)
        self._process.start()
        wait_until(
            lambda: (self._directory / "pid").exists()
            and (self._directory / "pid").read_text(encoding="ascii").strip(),
            PATIENCE,
            lambda: "nginx\n" + self._process.log(),
        )
        return self

    @property
    def running(self):
        return self._process.running

    @property
    def pid(self):
        return self._process.pid

    def kill(self):
        """SIGKILL for the master and its workers; the moment just before."""
        moment = time.monotonic_ns()
        self._process.kill()
        (self._directory / "pid").unlink(missing_ok=True)
        return moment

    def slow_down(self, delay_ms):
        """Every answer is still right, but comes delay_ms later. The moment of the order."""
        self.slow = True
        return self._reload(SLOW, delay=delay_ms)

    def speed_up(self):
        self.slow = False
        return self._reload(FAST)

    def _reload(self, answer, **values):
        self._write(answer, **values)
        moment = time.monotonic_ns()
        self._process.signal(signal.SIGHUP)
        return moment

    def stop(self):
        self._process.stop()
