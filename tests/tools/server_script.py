# SPDX-License-Identifier: BSL-1.0
"""tools/local-server.sh with a cache folder of the test's own, and links there to the user's servers."""
import subprocess

from script import ROOT, USERS_CACHE, ScriptTest


class ServerScriptTest(ScriptTest):
    def setUp(self):
        super().setUp()
        for path in USERS_CACHE.glob("*"):
            if path.name.startswith("dynoxide-") or path.name == "venv":
                (self.cache / path.name).symlink_to(path)
        self.addCleanup(self.stop_all)

    def stop_all(self):
        out = self.start("local-server.sh", "status").communicate()[0]
        for line in out.splitlines():
            self.tool("stop", "--port", line.split()[0].rsplit(":", 1)[1])

    def tool(self, *arguments, code=0):
        return self.run_script("local-server.sh", *arguments, code=code)

    def tool_under(self, prefix, *arguments, **more):
        """Return code, output and messages when it is run by the command `prefix`."""
        done = subprocess.run([*prefix, str(ROOT / "tools/local-server.sh"), *map(str, arguments)],
                              env=self.environment, stdin=subprocess.DEVNULL, text=True,
                              stderr=subprocess.PIPE, check=False, timeout=60,
                              **{"stdout": subprocess.PIPE, **more})
        return done.returncode, done.stdout, done.stderr

    def begin(self, *arguments):
        """The port of a server that was started."""
        out, _ = self.tool("start", *arguments)
        self.assertRegex(out, r"\Ahttp://127\.0\.0\.1:\d+\n\Z")
        return int(out.rsplit(":", 1)[1])

    def statuses(self):
        """(port, pid, engine) of each server."""
        words = [line.split() for line in self.tool("status")[0].splitlines()]
        self.assertTrue(all(each[1] == "pid" and len(each) == 4 for each in words), words)
        return [(int(url.rsplit(":", 1)[1]), int(pid), engine) for url, _, pid, engine in words]

    def left(self):
        """Files that tell of servers."""
        return sorted(path.name for path in (self.cache / "servers").glob("*")
                      if path.name != "lock")

    def dynamodb_local_home(self, *files):
        home = self.folder / "dynamodb local"
        home.mkdir()
        for name in files:
            (home / name).parent.mkdir(exist_ok=True)
            (home / name).touch()
        self.environment["DYNAMODB_LOCAL_HOME"] = str(home)
        return home
