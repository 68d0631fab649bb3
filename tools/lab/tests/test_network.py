import http.client
import http.server
import json
import socket
import threading
import time
import unittest
import urllib.error
import urllib.request

from lab.network import Fault, Network

DOCUMENT = {"items": ["a"] * 100}
SILENT_SECONDS = 0.3


class Server(http.server.ThreadingHTTPServer):
    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.served = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        pass  # a reset is what this is about


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.served += 1
        body = json.dumps(DOCUMENT).encode()
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    def log_message(self, *_):
        pass


class NetworkTest(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.network = self.enterContext(Network(self.server.server_port))

    def get(self, timeout=5):
        with urllib.request.urlopen(self.network.url, timeout=timeout) as answer:
            return answer.read()

    def test_without_a_fault_everything_arrives(self):
        self.assertEqual(json.loads(self.get()), DOCUMENT)
        self.assertEqual(self.network.done, 0)

    def test_a_reset_request_does_not_reach_the_server_whole_and_the_client_is_reset(self):
        self.network.fault = Fault(reset_requests=1)
        with self.assertRaises((ConnectionResetError, urllib.error.URLError)):
            self.get()
        self.assertEqual((self.server.served, self.network.done), (0, 1))

    def test_a_reset_or_cut_answer_is_not_whole_though_the_server_gave_it(self):
        for fault in (Fault(reset_answers=1), Fault(cut_answers=1)):
            self.network.fault = fault
            with self.assertRaises((OSError, http.client.HTTPException), msg=str(fault)):
                self.get()
        self.assertEqual(self.server.served, 2)

    def test_a_shortened_answer_is_whole_as_http_and_broken_as_json(self):
        self.network.fault = Fault(shorten_json=1)
        with self.assertRaises(json.JSONDecodeError):
            json.loads(self.get())

    def test_a_black_hole_answers_nothing_and_what_it_swallowed_never_comes(self):
        self.network.fault = Fault(swallow=True)
        with self.assertRaises(OSError):
            self.get(SILENT_SECONDS)
        self.network.fault = Fault()
        self.assertEqual(json.loads(self.get()), DOCUMENT)
        self.assertEqual(self.server.served, 1)

    def test_half_open_connections_fall_silent_and_new_ones_are_well(self):
        with socket.create_connection(("127.0.0.1", self.network.port), SILENT_SECONDS) as before:
            before.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            self.assertTrue(before.recv(1))
            self.network.fault = Fault(half_open=True)
            self.assertEqual(json.loads(self.get()), DOCUMENT)
            before.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            before.recv(1 << 16)  # the rest of the first answer
            with self.assertRaises(TimeoutError):
                before.recv(1)

    def test_latency_and_a_slow_line_take_their_time(self):
        for fault, seconds in ((Fault(latency_seconds=0.1), 0.2), (Fault(bytes_per_second=2_000), 0.25)):
            self.network.fault = fault
            began = time.monotonic()
            self.assertEqual(json.loads(self.get()), DOCUMENT)
            self.assertGreaterEqual(time.monotonic() - began, seconds)


if __name__ == "__main__":
    unittest.main()
