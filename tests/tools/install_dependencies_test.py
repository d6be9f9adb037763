#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The part `server` of tools/install-dependencies.sh: which cargo builds dynoxide, and that a build
which fails or is stopped leaves nothing. cargo and the package manager are the test's own."""
import os
import signal
import subprocess
import unittest

from script import ScriptTest, children_of, command_line_of, is_alive

FOLDER = "dynoxide-3.2.0"
# BUILD is what it does to install something.
CARGO = """#!/bin/sh
[ "$1" = --version ] && echo "cargo VERSION (0123456 2026-01-01)" && exit
echo "$*" >>'LOG'
while [ "$1" != --root ]; do shift; done
mkdir -p "$2/bin" "$CARGO_TARGET_DIR"
BUILD
"""
INSTALLS = "printf '#!/bin/sh\\n' >\"$2/bin/dynoxide\"; chmod +x \"$2/bin/dynoxide\""


def version_of_the_systems_cargo():
    try:
        words = subprocess.run(["/usr/bin/cargo", "--version"], capture_output=True, text=True)
    except FileNotFoundError:
        return (0, 0)
    return tuple(map(int, words.stdout.split()[1].split(".")[:2])) if words.stdout else (0, 0)


class InstallDependencies(ScriptTest):
    def setUp(self):
        super().setUp()
        self.log = self.folder / "log"
        # Everything but cargo is there.
        self.program("dpkg-query", "#!/bin/sh\nprintf 'install ok installed'\n")
        self.program("cc", "#!/bin/sh\n")
        self.program("apt-get", f"#!/bin/sh\necho \"apt-get $*\" >>'{self.log}'\nexit 1\n")
        self.program("sudo", "#!/bin/sh\nexec \"$@\"\n")

    def cargo(self, version, build):
        self.program("cargo", CARGO.replace("VERSION", version).replace("LOG", str(self.log))
                     .replace("BUILD", build))

    def packages(self, **candidates):
        """The versions that apt offers."""
        cases = "".join(f"{name.replace('_', '-')}) echo '  Candidate: {version}' ;;\n"
                        for name, version in candidates.items())
        self.program("apt-cache", f"#!/bin/sh\ncase $2 in\n{cases}esac\n")

    def install(self, code=0):
        return self.run_script("install-dependencies.sh", "server", code=code)

    def left(self):
        return sorted(path.name for path in self.cache.iterdir() if path.name != "lock")

    def lines(self):
        return self.log.read_text().splitlines() if self.log.exists() else []

    def test_a_new_enough_cargo_builds_once(self):
        self.cargo("1.88.0", INSTALLS)
        self.install()
        self.assertEqual(self.left(), [FOLDER])
        self.assertTrue(os.access(self.cache / FOLDER / "bin" / "dynoxide", os.X_OK))
        [line] = self.lines()
        self.assertIn("install dynoxide-rs --version 3.2.0 --locked --no-default-features "
                      "--features native-sqlite,http-server,cli --root ", line)
        self.install()
        self.assertEqual(len(self.lines()), 1)

    def test_packages_only_builds_nothing(self):
        self.cargo("1.96.0", INSTALLS)
        self.run_script("install-dependencies.sh", "--packages", "server")
        self.assertEqual((self.left(), self.lines()), ([], []))

    def test_a_build_that_fails_says_why_and_leaves_nothing(self):
        (self.cache / "dynoxide.killed" / "target").mkdir(parents=True)
        for build in ("echo no compiler >&2; exit 101", "echo no compiler"):
            self.cargo("1.96.0", build)
            _, err = self.install(code=1)
            self.assertIn("no compiler", err)
            self.assertIn("could not be built", err)
            self.assertEqual(self.left(), [])

    def test_a_build_that_is_stopped_leaves_nothing_and_no_process(self):
        self.cargo("1.96.0", "sleep 100; true")
        for number in (signal.SIGTERM, signal.SIGINT):
            process = self.start("install-dependencies.sh", "server")
            compilers = []
            while not compilers:
                self.assertIsNone(process.poll())
                compilers = [pid for child in children_of(process.pid) for pid in children_of(child)
                             if command_line_of(pid) == "sleep 100 "]
            process.send_signal(number)
            process.communicate(timeout=60)
            self.assertEqual(process.returncode, 128 + number)
            self.assertFalse(is_alive(compilers[0]))
            self.assertEqual(self.left(), [])

    @unittest.skipIf(version_of_the_systems_cargo() >= (1, 88), "the system's cargo is new enough")
    def test_without_a_new_cargo_the_package_that_has_one_is_installed(self):
        for own, web, wanted in (("0.66.0+ds1-1", "1.96.0+dfsg1-1~deb12u2", "cargo-web"),
                                 ("1.85.1+dfsg1-1", "1.96.0+dfsg1-1~deb13u1+b1", "cargo-web"),
                                 ("1.97.1+dfsg1-1", "(none)", "cargo")):
            self.cargo("1.87.0", "exit 1")
            self.packages(cargo=own, cargo_web=web)
            self.program("apt-get", f"#!/bin/sh\necho \"apt-get $*\" >>'{self.log}'\n"
                         f"[ \"$1\" = update ] || cp '{self.folder}/new' '{self.programs}/cargo'\n")
            (self.folder / "new").write_text(
                CARGO.replace("VERSION", "1.96.0").replace("LOG", str(self.log))
                .replace("BUILD", INSTALLS))
            (self.folder / "new").chmod(0o755)
            self.install()
            installs = [line for line in self.lines() if line.startswith("apt-get install")]
            self.assertEqual(installs[-1].split()[-1], wanted)
            self.assertEqual(self.left(), [FOLDER])
            (self.cache / FOLDER / "bin" / "dynoxide").unlink()

    @unittest.skipIf(version_of_the_systems_cargo() >= (1, 88), "the system's cargo is new enough")
    def test_package_sources_without_a_new_cargo_are_an_error_that_says_what_to_do(self):
        self.program("apt-get", "#!/bin/sh\n")
        self.cargo("1.63.0", "exit 1")
        self.packages(cargo="0.66.0+ds1-1", cargo_web="1.85.0+dfsg3-1~deb12u3")
        _, err = self.install(code=1)
        self.assertIn("cargo 1.88 or later", err)
        self.assertIn("security updates", err)
        self.assertEqual(self.left(), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
