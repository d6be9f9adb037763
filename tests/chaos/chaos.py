# SPDX-License-Identifier: BSL-1.0
"""What the chaos tests share: a local server that can be killed, toxiproxy, and the soak.

Everything listens on loopback, on free ports, and is stopped by its pid however the test ends.
"""
import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from server_identity import print_server_at  # noqa: E402
from tapped import write_down  # noqa: E402

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "codynamo"
SERVER = str(ROOT / "tools" / "local-server.sh")
SKIPPED = 77
# The local server does not check it. The search for secrets looks for it.
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
# What a client may say while its server is away: nothing that blames the request or the data.
AWAY = {"connection_lost", "connect_failed", "timeout", "circuit_open"}


def seconds(short):
    """How long the test goes on: the long form is for whoever asks for it."""
    return float(os.environ.get("CODYNAMO_CHAOS_SECONDS") or short)


def seeded(name):
    """A random generator whose seed is printed, and can be given to repeat its choices."""
    seed = int(os.environ.get("CODYNAMO_CHAOS_SEED") or random.SystemRandom().randrange(2 ** 32))
    print(f"{name}: CODYNAMO_CHAOS_SEED={seed}", flush=True)
    return random.Random(seed)


def say(words):
    print(f"{time.strftime('%H:%M:%S')} {words}", flush=True)


class Checks:
    """Collects what is wrong instead of stopping at the first thing."""

    def __init__(self):
        self.wrong = []
        self.passed = 0

    def that(self, good, words):
        if good:
            self.passed += 1
        else:
            self.wrong.append(words)
            say(f"WRONG: {words}")

    def exit_code(self):
        print(f"{self.passed} checks passed, {len(self.wrong)} failed", flush=True)
        return 1 if self.wrong else 0


def run_test(body, limit_s):
    """body(stack) returns the exit code. Whatever it entered is left however it ends: also when
    somebody interrupts it, and before ctest would lose patience and kill it outright."""
    def end(number, _):
        raise SystemExit(f"ended by {signal.Signals(number).name}")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
        signal.signal(number, end)
    signal.alarm(int(limit_s))
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "HTTP_PROXY", "http_proxy", "HTTPS_PROXY",
                 "https_proxy", "ALL_PROXY", "all_proxy"):
        os.environ.pop(name, None)
    os.environ.update({"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": SECRET,
                       "AWS_REGION": "us-east-1"})
    if not list(CACHE.glob("dynoxide-*/bin/dynoxide")):
        print("skipped: dynoxide is not there; run tools/install-dependencies.sh server")
        sys.exit(SKIPPED)
    with contextlib.ExitStack() as stack:
        code = body(stack)
    sys.exit(code)


@contextlib.contextmanager
def scratch():
    # What is killed are processes and not the machine, so a folder in memory loses nothing, and
    # SQLite's many syncs then do not wait for whatever else the disk is doing.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = tempfile.mkdtemp(prefix="codynamo-chaos.", dir=memory)
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Server:
    """dynoxide with a database file of its own, always on the same port."""

    def __init__(self, file):
        self.file = str(file)
        self.port = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def _start(self):
        subprocess.run([SERVER, "start", "--db", self.file, "--port", str(self.port)],
                       check=True, stdout=subprocess.DEVNULL)

    def __enter__(self):
        # Below the ports that outgoing connections get, or one of those might be on it when the
        # server comes back.
        for _ in range(10):
            self.port = random.randrange(20000, 32000)
            try:
                self._start()
                print_server_at(self.url)
                return self
            except subprocess.CalledProcessError:
                continue
            except BaseException:
                # Interrupted: it may be there although nobody has heard of it yet.
                self.__exit__()
                raise
        raise SystemExit("the local server does not start")

    def __exit__(self, *_):
        subprocess.run([SERVER, "stop", "--port", str(self.port)], check=False,
                       stderr=subprocess.DEVNULL)

    def kill(self):
        """SIGKILL; returns when it is dead."""
        status = subprocess.run([SERVER, "status", "--port", str(self.port)], check=True,
                                stdout=subprocess.PIPE, text=True)
        pid = status.stdout.split()[2]
        os.kill(int(pid), signal.SIGKILL)
        # Its port is free when it is gone, or a zombie that nobody has asked for its exit code.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX":
                time.sleep(0.01)

    def ask(self, operation, what, timeout=10):
        # The signature has to be there, and is not checked.
        headers = {"X-Amz-Target": f"DynamoDB_20120810.{operation}",
                   "Content-Type": "application/x-amz-json-1.0", "X-Amz-Date": "20250101T000000Z",
                   "Authorization": "AWS4-HMAC-SHA256 Credential=local/20250101/us-east-1/dynamodb/"
                                    "aws4_request, SignedHeaders=host, Signature=0"}
        request = urllib.request.Request(self.url, json.dumps(what).encode(), headers)
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return json.load(answer)

    def restart(self, table="chaos"):
        """Returns when it has answered a read."""
        # The main thread of a killed process is a zombie before the others have closed the port.
        for retries_left in range(20, -1, -1):
            try:
                self._start()
                break
            except subprocess.CalledProcessError:
                if retries_left == 0:
                    raise
                time.sleep(0.1)
        read = {"TableName": table, "Key": {"key": {"S": "nothing"}}, "ConsistentRead": True}
        for _ in range(100):
            with contextlib.suppress(OSError):
                self.ask("GetItem", read, timeout=5)
                return
            time.sleep(0.02)
        raise SystemExit("the local server does not serve the table after its restart")


# Exit code of a soak that stop() ended, with nothing wrong.
STOPPED = 130


class Soak:
    """A run of `codynamo-bench soak` whose series can be looked at while it goes on."""

    def __init__(self, program, folder, endpoint, *, duration, writers, readers, table="chaos",
                 name="soak", interval_ms=100, **more):
        self.series_file = Path(folder) / f"{name}.series"
        self.log = Path(folder) / f"{name}.log"
        options = {"server": endpoint, "table": table, "seconds": duration, "writers": writers,
                   "readers": readers, "ack-log": self.log, "series": self.series_file,
                   "series-interval": interval_ms, **more}
        self.words = open(Path(folder) / f"{name}.stderr", "w+")
        self.process = subprocess.Popen(
            [program, "soak", "--json", *(f"--{key.replace('_', '-')}={value}"
                                          for key, value in options.items())],
            stdout=subprocess.PIPE, stderr=self.words, text=True)

    def must_run(self):
        if self.process.poll() is not None:
            self.words.seek(0)
            raise SystemExit(f"the soak ended early: {self.words.read()}")

    def wait_for_success(self):
        for _ in range(600):
            self.must_run()
            if any(line["writes"] and line["reads"] for line in self.series()):
                return
            time.sleep(0.1)
        raise SystemExit("the soak does not begin")

    def stop(self):
        """As Ctrl-C does it."""
        self.process.send_signal(signal.SIGINT)

    def wait(self, timeout=60):
        """Its exit code and its figures."""
        out, _ = self.process.communicate(timeout=timeout)
        write_down(out)
        self.words.seek(0)
        if self.process.returncode not in (0, STOPPED):
            print(self.words.read(), flush=True)
        return self.process.returncode, json.loads(out or "{}")

    def series(self):
        """Intervals so far: dictionaries with unix_ms (of the end), writes, reads, errors."""
        if not self.series_file.exists():
            return []
        lines = self.series_file.read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def between(self, begin, end):
        """The intervals that lie wholly between two times (seconds since 1970), and their sum."""
        inside = []
        before = None
        for line in self.series():
            if before is not None and before >= begin * 1000 and line["unix_ms"] <= end * 1000:
                inside.append(line)
            before = line["unix_ms"]
        errors = {}
        for line in inside:
            for name, count in line["errors"].items():
                errors[name] = errors.get(name, 0) + count
        return inside, {"ok": sum(line["writes"] + line["reads"] for line in inside),
                        "writes": sum(line["writes"] for line in inside), "errors": errors}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.words.seek(0)
        write_down(self.words.read())
        self.words.close()


def verify(program, log, endpoint, *more, table="chaos", expected=0):
    """Exit code and figures of the verification. Its complaints are shown unless expected."""
    done = subprocess.run([program, "soak", "--json", f"--verify={log}", f"--table={table}",
                           f"--server={endpoint}", *more], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    write_down(done.stdout, done.stderr)
    if done.returncode != expected:
        print(done.stderr, flush=True)
    return done.returncode, json.loads(done.stdout or "{}")


class Toxiproxy:
    """The program, driven by its HTTP API."""

    def __init__(self, upstream_port):
        program = CACHE / "toxiproxy" / "server"
        if not program.exists():
            print("skipped: toxiproxy is not there; run tools/install-dependencies.sh chaos")
            sys.exit(SKIPPED)
        self.upstream = f"127.0.0.1:{upstream_port}"
        for _ in range(10):
            self.api = f"http://127.0.0.1:{free_port()}"
            self.process = subprocess.Popen(
                [str(program), "-host", "127.0.0.1", "-port", self.api.rsplit(":", 1)[1]],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if self._answers():
                return
            self.__exit__()
        raise SystemExit("toxiproxy does not start")

    def _answers(self):
        for _ in range(100):
            if self.process.poll() is not None:
                return False
            with contextlib.suppress(OSError):
                self.ask("GET", "/version")
                return True
            time.sleep(0.05)
        return False

    def ask(self, method, path, what=None):
        request = urllib.request.Request(self.api + path, method=method,
                                         data=None if what is None else json.dumps(what).encode(),
                                         headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
        with contextlib.suppress(ValueError):
            return json.loads(text)
        return None

    def proxy(self, name):
        return Proxy(self, name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()


class Proxy:
    """One way to the server, which can be spoiled by one toxic at a time."""

    def __init__(self, program, name):
        self.program = program
        self.path = f"/proxies/{name}"
        made = program.ask("POST", "/proxies", {"name": name, "listen": "127.0.0.1:0",
                                                "enabled": True, "upstream": program.upstream})
        self.url = "http://" + made["listen"]

    def add(self, kind, stream, attributes):
        self.program.ask("POST", f"{self.path}/toxics",
                         {"name": "t", "type": kind, "stream": stream, "toxicity": 1.0,
                          "attributes": attributes})

    def remove(self):
        self.program.ask("DELETE", f"{self.path}/toxics/t")

    def enable(self, enabled):
        self.program.ask("POST", self.path, {"enabled": enabled})


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
