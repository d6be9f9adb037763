# SPDX-License-Identifier: BSL-1.0
"""Servers on the loopback that behave as a test wants: for `with`, each has `url` and `connections`."""
import contextlib
import json
import socket
import threading


class FakeServer:
    """Reads requests and gives each to `answer(operation, body)`: bytes that are sent as they are,
    None to stay silent for ever, or CLOSE to end the connection. Without `answer` it stays silent."""
    CLOSE = object()

    def __init__(self, answer=None):
        self.answer = answer or (lambda operation, body: None)
        self.connections = 0
        self.first_lines = []
        self.asked = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.open = []

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        # Ends accept(), which close() alone does not.
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for each in self.open:
            each.close()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections += 1
                self.open.append(connection)
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with contextlib.suppress(OSError, ValueError):
            stream = connection.makefile("rb")
            while True:
                first = stream.readline().decode().strip()
                if not first:
                    return
                headers = {}
                for line in iter(lambda: stream.readline().decode().strip(), ""):
                    name, _, value = line.partition(":")
                    headers[name.lower()] = value.strip()
                body = stream.read(int(headers.get("content-length", 0)))
                self.first_lines.append(first)
                operation = headers.get("x-amz-target", "").rpartition(".")[2]
                self.asked.set()
                reply = self.answer(operation, json.loads(body) if operation else {})
                if reply is self.CLOSE:
                    connection.shutdown(socket.SHUT_RDWR)
                    return
                if reply is not None:
                    connection.sendall(reply)


def response(body, status="200 OK", content_type="application/x-amz-json-1.0"):
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(text)}\r\n\r\n"
    return head.encode() + text


def service_error(code, message, status="400 Bad Request"):
    return response({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message},
                    status)
