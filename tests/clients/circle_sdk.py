"""A client of Circle's Headless Auth API, with the six methods of Circle's own SDK, over a Unix socket or a port.

It knows nothing of Rota: a program that was written for Circle looks like this.
"""

import http.client
import json
import socket


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(self._path)


class HeadlessAuth:
    """`where`: the path of a Unix socket, or (host, port). Each method returns (status, JSON or None)."""

    def __init__(self, where, bearer="any"):
        self._where = where
        self._bearer = bearer
        self.seen = []  # (method, path, status, headers, body) of each reply

    def call(self, method, path, body, content_type="application/json"):
        if isinstance(self._where, str):
            connection = _UnixConnection(self._where)
        else:
            connection = http.client.HTTPConnection(*self._where, timeout=60)
        data = json.dumps(body) if isinstance(body, (dict, list)) else body  # an iterator is sent in chunks
        connection.request(method, path, data, {"Authorization": f"Bearer {self._bearer}", "Content-Type": content_type})
        reply = connection.getresponse()
        text = reply.read()
        connection.close()
        value = json.loads(text) if text else None
        self.seen.append((method, path, reply.status, dict(reply.getheaders()), value))
        return reply.status, value

    def _issue(self, selector):
        return self.call("POST", "/api/v1/headless/auth_token", selector)

    def member_api_token_from_community_member_id(self, number):
        return self._issue({"community_member_id": number})

    def member_api_token_from_email(self, email):
        return self._issue({"email": email})

    def member_api_token_from_sso_id(self, sso):
        return self._issue({"sso_user_id": sso})

    def member_api_token_from_refresh_token(self, token):
        return self.call("PATCH", "/api/v1/headless/access_token/refresh", {"refresh_token": token})

    def revoke_refresh_token(self, token):
        return self.call("POST", "/api/v1/headless/refresh_token/revoke", {"refresh_token": token})

    def revoke_member_api_token(self, token):
        return self.call("POST", "/api/v1/headless/access_token/revoke", {"access_token": token})
