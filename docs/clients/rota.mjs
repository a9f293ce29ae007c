// A client of Rota's token socket. Node 18 or later, no packages.
//
//   const rota = new Rota();
//   let token = await rota.token({ email: "grace@example.com" });
//   // Call Circle with it. If Circle answers 401, ask once more and say which token it refused:
//   token = await rota.token({ email: "grace@example.com" }, { refused: token });
//
// On a listener, with the token that `rota client add` printed:
//
//   const rota = new Rota({ path: "127.0.0.1:8465", bearer: process.env.ROTA_TOKEN });

import { createHash } from "node:crypto";
import http from "node:http";
import { setTimeout as pauseFor } from "node:timers/promises";

const LIFE_MS_MIN = 60_000; // a token with less life left is fetched again
const KEPT_TOKENS_MAX = 10_000;
const CONNECT_AGAIN_MS = 50;
const REPLY_MS_EXTRA = 5_000; // on top of what Rota may wait, so that Rota's answer comes first

// Rota gave no token. `code` says why; `retryAfter` says in how many seconds to ask again.
export class RotaError extends Error {
  constructor(status, code, message, retryAfter) {
    super(`${status} ${code}: ${message}`);
    Object.assign(this, { status, code, retryAfter });
  }
}

// The member left, or an operator blocked it: stop acting for this member.
export class MemberGone extends RotaError {}

export class Rota {
  #to;
  #patience;
  #kept = new Map(); // query -> { token, until }

  // `path`: of a socket, or ADDRESS:PORT of a listener. `patience`: for how many milliseconds one
  // call may wait and try again. `bearer`: for a listener.
  constructor({ path = "/run/rota/token.sock", patience = 10_000, bearer } = {}) {
    const [, host, port] = /^(.*):(\d+)$/.exec(path.startsWith("/") ? "" : path) ?? [];
    this.#to = host ? { host, port } : { socketPath: path };
    if (bearer) this.#to.headers = { Authorization: `Bearer ${bearer}` };
    this.#patience = patience;
  }

  // An access token of `member`, which is one of { email }, { community_member_id }, { sso_user_id }.
  // `refused`: the token to which Circle answered 401. Throws MemberGone or RotaError.
  async token(member, { refused } = {}) {
    const query = new URLSearchParams(member).toString();
    const kept = this.#kept.get(query);
    if (kept && kept.token !== refused && performance.now() < kept.until) return kept.token;
    this.#kept.delete(query);
    const also = refused ? `&refused=${fingerprint(refused)}` : "";
    const deadline = performance.now() + this.#patience;
    for (;;) {
      const askedAt = performance.now();
      let failure;
      let pause;
      try {
        const reply = await this.#get(query + also, Math.max(0, deadline - askedAt));
        if (reply.status === 200) {
          const life = 1000 * Number(reply.headers["rota-expires-in"]);
          this.#keep(query, reply.body.access_token, askedAt + Math.max(life - LIFE_MS_MIN, life / 2));
          return reply.body.access_token;
        }
        const { code, message } = reply.body;
        const retryAfter = Number(reply.headers["retry-after"] ?? 0);
        const Kind = reply.status === 410 ? MemberGone : RotaError;
        failure = new Kind(reply.status, code, message, retryAfter || undefined);
        pause = reply.status === 503 ? 1000 * retryAfter : 0;
      } catch (error) {
        failure = new RotaError(0, "unreachable", error.message);
        // The queue of new connections is full, or the daemon has just been restarted.
        pause = ["ENOENT", "EACCES"].includes(error.code) ? 0 : CONNECT_AGAIN_MS;
      }
      if (!pause || performance.now() + pause > deadline) throw failure;
      await pauseFor(pause);
    }
  }

  #get(query, wait) {
    return new Promise((resolve, reject) => {
      const request = http.get({
        ...this.#to,
        path: `/v1/token?${query}&wait=${Math.floor(wait / 1000)}`,
        signal: AbortSignal.timeout(Math.ceil(wait) + REPLY_MS_EXTRA),
      });
      // Without this, a daemon that is down ends the whole program.
      request.on("error", reject);
      request.on("response", (reply) => {
        let text = "";
        reply.setEncoding("utf8");
        reply.on("data", (part) => (text += part));
        reply.on("error", reject);
        reply.on("end", () => {
          try {
            resolve({ status: reply.statusCode, headers: reply.headers, body: JSON.parse(text) });
          } catch (error) {
            reject(error);
          }
        });
      });
    });
  }

  #keep(query, token, until) {
    if (this.#kept.size >= KEPT_TOKENS_MAX) this.#kept.clear(); // a fetch takes microseconds
    this.#kept.set(query, { token, until });
  }
}

function fingerprint(token) {
  return createHash("sha256").update(token).digest("hex").slice(0, 16);
}
