"""A port of 127.0.0.1 in front of a Unix socket, for clients that know URLs only."""

import contextlib
import socket
import threading


def _copy(source, target):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


class Bridge:
    def __init__(self, path):
        self._path = path
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                rotad = socket.socket(socket.AF_UNIX)
                rotad.connect(self._path)
                for pair in ((client, rotad), (rotad, client)):
                    threading.Thread(target=_copy, args=pair, daemon=True).start()

    def close(self):
        self._listener.close()
