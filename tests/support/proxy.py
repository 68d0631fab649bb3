"""Between pawl and a search server: sees each request, and may answer in the server's place."""

import contextlib
import functools
import http.client
import http.server
import threading


class Proxy(http.server.ThreadingHTTPServer):
    """In front of a search server. `between(method, path, forward)` gives the answer, (status, type, body): that of
    `forward()`, or another one."""

    def __init__(self, port, between):
        super().__init__(("127.0.0.1", 0), ProxyHandler)
        self.behind, self.between = port, between
        self.url = f"http://127.0.0.1:{self.server_port}"

    def forward(self, method, path, headers, body):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.behind)) as connection:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheader("Content-Type") or "", answer.read()

    def __enter__(self):
        self.thread = threading.Thread(target=self.serve_forever)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.thread.join()
        self.server_close()


class ProxyHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        kept = ("Content-Type", "Content-Encoding", "Accept")
        headers = {name: self.headers[name] for name in kept if name in self.headers}
        forward = functools.partial(self.server.forward, self.command, self.path, headers, body)
        status, kind, body = self.server.between(self.command, self.path, forward)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # who asked is gone
            self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_DELETE = handle_any

    def log_message(self, *_):
        pass
