"""A client of Rota's token socket. Python 3.9 or later, standard library only.

    rota = Rota()
    token = rota.token(email="grace@example.com")
    # Call Circle with it. If Circle answers 401, ask once more and say which token it refused:
    token = rota.token(email="grace@example.com", refused=token)

On a listener, with the token that `rota client add` printed:

    rota = Rota("127.0.0.1:8465", bearer=os.environ["ROTA_TOKEN"])

One object serves all threads of a program.
"""

import errno
import hashlib
import http.client
import json
import socket
import threading
import time
from urllib.parse import urlencode

LIFE_SECONDS_MIN = 60  # a token with less life left is fetched again
KEPT_TOKENS_MAX = 10_000
CONNECT_AGAIN_SECONDS = 0.05
REPLY_SECONDS_EXTRA = 5  # on top of what Rota may wait, so that Rota's answer comes first


class RotaError(Exception):
    """Rota gave no token. `code` says why; `retry_after` says in how many seconds to ask again."""

    def __init__(self, status, code, message, retry_after=None):
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.retry_after = status, code, retry_after


class MemberGone(RotaError):
    """The member left, or an operator blocked it: stop acting for this member."""


class _Connection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost" if path.startswith("/") else path, timeout=timeout)
        self._path = path

    def connect(self):
        if not self._path.startswith("/"):
            super().connect()
            return
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Rota:
    def __init__(self, path="/run/rota/token.sock", patience=10, bearer=None):
        """`path`: of a socket, or ADDRESS:PORT of a listener.

        `patience`: for how many seconds one call may wait and try again. `bearer`: for a listener.
        """
        self._path, self._patience = path, patience
        self._headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        self._kept = {}  # query -> (token, until when it may be used)
        self._lock = threading.Lock()

    def token(self, *, refused=None, **member):
        """An access token of the member, which is one of email, community_member_id, sso_user_id.

        `refused`: the token to which Circle answered 401. Raises MemberGone or RotaError.
        """
        query = urlencode(member)
        with self._lock:
            token, until = self._kept.get(query, (None, 0))
            if token and token != refused and time.monotonic() < until:
                return token
            self._kept.pop(query, None)
        if refused:
            query_now = f"{query}&refused={hashlib.sha256(refused.encode()).hexdigest()[:16]}"
        else:
            query_now = query
        deadline = time.monotonic() + self._patience
        while True:
            asked_at = time.monotonic()
            try:
                reply, body = self._get(query_now, max(0, deadline - asked_at))
            except (OSError, http.client.HTTPException, ValueError) as error:
                # The queue of new connections is full, or the daemon has just been restarted.
                if getattr(error, "errno", None) in (errno.ENOENT, errno.EACCES):
                    raise RotaError(0, "unreachable", str(error)) from error
                failure, pause = RotaError(0, "unreachable", str(error)), CONNECT_AGAIN_SECONDS
            else:
                if reply.status == 200:
                    life = int(reply.headers["Rota-Expires-In"])
                    self._keep(query, body["access_token"],
                               asked_at + max(life - LIFE_SECONDS_MIN, life / 2))
                    return body["access_token"]
                kind = MemberGone if reply.status == 410 else RotaError
                pause = int(reply.headers.get("Retry-After", 0))
                failure = kind(reply.status, body["code"], body["message"], pause or None)
                if reply.status != 503:
                    raise failure
            if not pause or time.monotonic() + pause > deadline:
                raise failure
            time.sleep(pause)

    def _get(self, query, wait):
        connection = _Connection(self._path, wait + REPLY_SECONDS_EXTRA)
        try:
            connection.request("GET", f"/v1/token?{query}&wait={int(wait)}", headers=self._headers)
            reply = connection.getresponse()
            return reply, json.load(reply)
        finally:
            connection.close()

    def _keep(self, query, token, until):
        with self._lock:
            if len(self._kept) >= KEPT_TOKENS_MAX:
                self._kept.clear()  # a fetch takes microseconds
            self._kept[query] = (token, until)
