#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""README.md quotes code that is compiled and run: each C++ block names a region of an example,

    <!-- examples/quickstart.cpp: open -->
    ```cpp
    ...
    ```

and says exactly what stands there between `// [open]` and `// [/open]`.

    check_readme.py ROOT            prints every difference; exit code 1 if there is one
    check_readme.py ROOT --write    puts the present text of the examples into README.md
"""
import re
import sys
import textwrap
from pathlib import Path

BLOCK = re.compile(r"(?:<!-- (?P<file>[\w./-]+): (?P<region>[\w-]+) -->\n)?"
                   r"```cpp\n(?P<code>.*?)```\n", re.S)


def region_of(root, file, region):
    text = (root / file).read_text(encoding="utf-8")
    found = re.search(rf"^ *// \[{region}\]\n(.*?)^ *// \[/{region}\]\n", text, re.S | re.M)
    if not found:
        raise KeyError(f"{file} has no region [{region}]")
    lines = [line for line in found[1].splitlines(keepends=True)
             if not re.match(r" *// \[/?[\w-]+\]$", line)]
    return textwrap.dedent("".join(lines))


def main(root, write):
    readme = root / "README.md"
    text = readme.read_text(encoding="utf-8")
    complaints, quoted = [], 0

    def visit(block):
        nonlocal quoted
        quoted += 1
        if not block["file"]:
            complaints.append(f"a C++ block that names no example:\n{block['code']}")
            return block[0]
        try:
            code = region_of(root, block["file"], block["region"])
        except (KeyError, OSError) as why:
            complaints.append(str(why))
            return block[0]
        if code != block["code"] and not write:
            complaints.append(f"{block['file']} [{block['region']}] says\n{code}")
        return f"<!-- {block['file']}: {block['region']} -->\n```cpp\n{code}```\n"

    changed = BLOCK.sub(visit, text)
    if write:
        readme.write_text(changed, encoding="utf-8")
    if not quoted:
        complaints.append("README.md quotes no example at all")
    print("\n".join(complaints) or f"{quoted} blocks, all as in the examples")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), "--write" in sys.argv[2:]))
