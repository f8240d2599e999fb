"""A farmlokal binary: its commands, its process, and its API."""

import atexit
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.parse

DEADLINE = 60


def say(text):
    """Prints progress."""
    print(f"  {text}", flush=True)


def until(condition, what):
    """Polls `condition` until it returns something true, and returns that."""
    deadline = time.monotonic() + DEADLINE
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise SystemExit(f"gave up after {DEADLINE} s: {what}")
        time.sleep(0.01)
    return result


def free_port():
    """Returns a port of loopback that is free at the moment."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


class Answer:
    """Status, header fields and body of one response."""

    def __init__(self, response):
        self.status, self.fields = response.status, response.headers
        self.text = response.read().decode()

    def json(self):
        """Returns the body as JSON."""
        return json.loads(self.text)


class Binary:
    """A farmlokal binary and the settings it runs with."""

    def __init__(self, path, settings):
        self.path = path
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("FARMLOKAL_")}
        self.environment = inherited | settings

    def run(self, *arguments):
        """Runs a command to its end and returns what it printed."""
        say("farmlokal " + " ".join(arguments))
        done = subprocess.run([self.path, *arguments], env=self.environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{arguments}: {done.stderr}")
        return done.stdout

    def credentials(self, *arguments):
        """Runs `client add` or `client rotate` and returns id and secret."""
        printed = self.run("client", *arguments)
        return tuple(re.search(rf"{name}\s+(\S+)", printed).group(1) for name in ("client_id", "client_secret"))

    def start(self, *arguments, **settings):
        """Starts a command in the background on free ports; returns process, public port and admin port."""
        public, admin = free_port(), free_port()
        ports = {"FARMLOKAL_HTTP__LISTEN": f"127.0.0.1:{public}", "FARMLOKAL_ADMIN__LISTEN": f"127.0.0.1:{admin}"}
        environment = self.environment | ports | settings
        say("farmlokal " + " ".join([*arguments, *(f"{key}={value}" for key, value in settings.items())]))
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
        process = subprocess.Popen([self.path, *arguments], env=environment, **streams)
        # Nothing outlives a maker that gave up.
        atexit.register(process.kill)
        return process, public, admin


class Service:
    """A running `farmlokal serve`."""

    def __init__(self, binary, **settings):
        self.process, self.public, self.admin = binary.start("serve", **settings)
        for line in self.process.stdout:
            if "Ctrl-C ends it" in line:
                return
        raise SystemExit("the service did not start")

    def end(self):
        """Ends it in order."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(DEADLINE)

    def kill(self):
        """Ends it as a crash would."""
        say("kill -9")
        self.process.kill()
        self.process.wait(DEADLINE)

    def ask(self, method, path, body=None, token=None, port=None, **fields):
        """Sends one request and returns the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.public, timeout=DEADLINE)
        headers = {name.replace("_", "-"): value for name, value in fields.items()}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if isinstance(body, dict):
            body = json.dumps(body, ensure_ascii=False)
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
            body = body.encode()
        connection.request(method, path, body, headers)
        answer = Answer(connection.getresponse())
        connection.close()
        return answer

    def must(self, status, method, path, *arguments, **fields):
        """Sends a request that has to be answered with `status`."""
        answer = self.ask(method, path, *arguments, **fields)
        if answer.status != status:
            raise SystemExit(f"{method} {path}: {answer.status} {answer.text}")
        return answer

    def token(self, client, secret):
        """Returns an access token with all scopes of the client."""
        form = {"grant_type": "client_credentials", "client_id": client, "client_secret": secret}
        kind = "application/x-www-form-urlencoded"
        return self.must(200, "POST", "/oauth/token", urllib.parse.urlencode(form), Content_Type=kind).json()["access_token"]

    def indexed(self):
        """Waits until the search index has caught up with the log of changes."""
        def caught_up():
            status = self.ask("GET", "/v1/admin/search", port=self.admin).json()
            return status["serving"] and status["lagRows"] == 0
        until(caught_up, "the search index")
