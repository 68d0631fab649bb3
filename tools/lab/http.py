"""A small JSON client for search servers, for tests only.

Each request has a connection of its own, so a client outlives its server's restart and may be shared by threads."""

import base64
import http.client
import json
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional
from urllib.parse import urlsplit

TIMEOUT_S = 60


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any  # parsed JSON where the server says that it is JSON, else text

    def ok(self) -> Any:
        """The body, or an exception that shows it when the status is not 2xx."""
        if not 200 <= self.status < 300:
            raise RuntimeError(f"HTTP {self.status}: {self.body}")
        return self.body


class JsonClient:
    def __init__(self, url: str, user: Optional[str] = None, password: str = "", ca: Optional[Path] = None,
                 timeout_s: float = TIMEOUT_S) -> None:
        self._url = urlsplit(url)
        # Reading the system's certificates takes 20 ms of a processor, and tests that wait make many clients.
        is_secure = self._url.scheme == "https"
        self._tls = ssl.create_default_context(cafile=str(ca) if ca else None) if is_secure else None
        self._timeout_s = timeout_s
        self._headers = {}
        if user is not None:
            token = base64.b64encode(f"{user}:{password}".encode()).decode()
            self._headers["Authorization"] = f"Basic {token}"

    def request(self, method: str, path: str, body: Any = None, content_type: str = "application/json") -> Answer:
        """`body`: bytes and str travel as they are, anything else as JSON. OSError or http.client.HTTPException when
        there is no answer."""
        data = body if body is None or isinstance(body, (bytes, str)) else json.dumps(body)
        headers = dict(self._headers)
        if data is not None:
            headers["Content-Type"] = content_type
        connection = self._connect()
        try:
            connection.request(method, path, data.encode() if isinstance(data, str) else data, headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        is_json = "json" in (answer.getheader("Content-Type") or "")
        return Answer(answer.status, json.loads(text) if is_json and text else text.decode(errors="replace"))

    def get(self, path: str, body: Any = None) -> Any:
        return self.request("GET", path, body).ok()

    def put(self, path: str, body: Any = None) -> Any:
        return self.request("PUT", path, body).ok()

    def post(self, path: str, body: Any = None) -> Any:
        return self.request("POST", path, body).ok()

    def delete(self, path: str) -> Any:
        return self.request("DELETE", path).ok()

    def bulk(self, lines: list[Any], path: str = "/_bulk?refresh=true") -> Any:
        """Sends actions and documents as NDJSON; the answer's own "errors" is left to the caller."""
        body = "".join(json.dumps(line) + "\n" for line in lines)
        return self.request("POST", path, body, "application/x-ndjson").ok()

    def _connect(self) -> http.client.HTTPConnection:
        assert self._url.hostname is not None
        if self._url.scheme == "https":
            return http.client.HTTPSConnection(self._url.hostname, self._url.port, timeout=self._timeout_s,
                                               context=self._tls)
        return http.client.HTTPConnection(self._url.hostname, self._url.port, timeout=self._timeout_s)
