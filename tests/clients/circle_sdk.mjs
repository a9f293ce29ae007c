// A client of Circle's Headless Auth API, with the six methods of Circle's own SDK.
//
// It knows nothing of Rota: a program that was written for Circle looks like this. Each method gives
// { status, headers, body }; body is null if the reply has none.

export class HeadlessAuth {
  constructor(url, token) {
    this.url = url;
    this.token = token;
  }

  async call(method, path, body) {
    const reply = await fetch(this.url + path, {
      method,
      headers: { Authorization: `Bearer ${this.token}`, "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const text = await reply.text();
    return { status: reply.status, headers: Object.fromEntries(reply.headers), body: text ? JSON.parse(text) : null };
  }

  getMemberAPITokenFromCommunityMemberId(id) {
    return this.call("POST", "/api/v1/headless/auth_token", { community_member_id: id });
  }

  getMemberAPITokenFromEmail(email) {
    return this.call("POST", "/api/v1/headless/auth_token", { email });
  }

  getMemberAPITokenFromSSOId(id) {
    return this.call("POST", "/api/v1/headless/auth_token", { sso_user_id: id });
  }

  getMemberAPITokenFromRefreshToken(token) {
    return this.call("PATCH", "/api/v1/headless/access_token/refresh", { refresh_token: token });
  }

  revokeRefreshToken(token) {
    return this.call("POST", "/api/v1/headless/refresh_token/revoke", { refresh_token: token });
  }

  revokeMemberAPIToken(token) {
    return this.call("POST", "/api/v1/headless/access_token/revoke", { access_token: token });
  }
}
