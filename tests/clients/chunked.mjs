// A login as Node programs send one without a length: write() and end() make chunks.
// Usage: chunked.mjs SOCKET PIECE-OF-THE-BODY…
import http from "node:http";

const [socketPath, ...pieces] = process.argv.slice(2);
const request = http.request({
  socketPath,
  path: "/api/v1/headless/auth_token",
  method: "POST",
  headers: { "Content-Type": "application/json" },
});
request.on("response", (reply) => reply.pipe(process.stdout));
for (const piece of pieces) request.write(piece);
request.end();
