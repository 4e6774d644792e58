"""Clients that send commands to a server one after the other and keep count of what was answered."""

from __future__ import annotations

import http.client
import json
import threading
import time
from typing import Any
from urllib.parse import urlsplit

SEND_ONE = {"site": "hub", "to": "north", "lines": [{"item": "rice", "quantity": 1}]}


def post(
    connection: http.client.HTTPConnection, kind: str, key: str, body: dict[str, Any]
) -> tuple[int, dict[str, Any]]:
    """Status and answer of one command."""
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    connection.request("POST", f"/commands/{kind}", json.dumps(body), headers)
    response = connection.getresponse()
    return response.status, json.loads(response.read())


class Load:
    """
    Clients, each sending one gram after the other under ids of its own.

    Parameters
    ----------
    address, clients, name
        Where to, how many, and how their ids begin.
    again
        Whether what was not answered is sent again until it is; else a client ends there.
    """

    def __init__(self, address: str, clients: int, name: str, *, again: bool = False) -> None:
        self.acknowledged: list[str] = []
        self.unanswered: list[str] = []
        self._again = again
        self._stop = threading.Event()
        self._name = name
        self._where = urlsplit(address)
        self._threads = [threading.Thread(target=self._send, args=(number,)) for number in range(clients)]
        for thread in self._threads:
            thread.start()

    def _send(self, client: int) -> None:
        connection = http.client.HTTPConnection(self._where.hostname or "", self._where.port, timeout=60)
        number = 0
        while not self._stop.is_set():
            id = f"{self._name}-{client}-{number:06d}"
            try:
                status, _ = post(connection, "send", id, SEND_ONE)
            except (OSError, http.client.HTTPException):
                status = 0
                connection.close()
            if status == 200:
                self.acknowledged.append(id)
                number += 1
                continue
            assert status in (0, 503), status
            self.unanswered.append(id)
            if not self._again:
                break
            time.sleep(0.02)
        connection.close()

    def ready(self, answers: int, within_s: float = 60) -> None:
        """Wait until so many were answered."""
        end = time.monotonic() + within_s
        while len(self.acknowledged) < answers:
            assert time.monotonic() < end, (len(self.acknowledged), self.unanswered[:3])
            time.sleep(0.002)

    def end(self) -> None:
        """Wait for the last answers."""
        self._stop.set()
        for thread in self._threads:
            thread.join(120)
            assert not thread.is_alive()
