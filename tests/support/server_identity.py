# SPDX-License-Identifier: BSL-1.0
"""Which server a script's tests meet, by what the server says about itself; as in
server_identity.cpp."""
import sys
import urllib.error
import urllib.request


def server_at(url):
    """For example "dynoxide 1.5.0", "moto (Werkzeug/3.1)" or "DynamoDB Local (Jetty(12.0.14))"."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        headers = direct.open(url, timeout=10).headers
    except urllib.error.HTTPError as refusal:
        headers = refusal.headers
    if version := headers.get("x-dynoxide-version"):
        return f"dynoxide {version}"
    names = ", ".join(headers.get_all("Server") or [])
    for beginning, name in (("Werkzeug", "moto"), ("Jetty", "DynamoDB Local")):
        if names.startswith(beginning):
            return f"{name} ({names})"
    return names or "a server that does not say its name"


def print_server_at(url):
    print(f"met {server_at(url)} at {url}", flush=True)


if __name__ == "__main__":
    print_server_at(sys.argv[1])
