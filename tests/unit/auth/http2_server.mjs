// An HTTP/2 server over TLS whose requests are answered by a script, one word for each:
//   node http2_server.mjs CERTIFICATE KEY WORD...
// It says "port N" when it listens, and for each request "connection N h2 WORD", or h1. In front of
// it stands a forwarder, so that one connection can be frozen on the level of TCP:
//   answer      200 with the request's number
//   silent      no reply; the connection lives on
//   swallow     this connection goes on acknowledging bytes, and brings none any more
//   stall       nobody reads this connection any more
//   cut         a reset of the connection
//   end         the end of the connection without a word of TLS
//   notify      the end of TLS (close_notify) and of the connection without a word of HTTP/2
//   close       GOAWAY that includes all requests, and the end of TLS and of the connection
//   late        200 once the next request is there
//   refuse      RST_STREAM with REFUSED_STREAM
//   goaway      GOAWAY that leaves this request out
//   goaway_done GOAWAY that includes it, and the reply
//   http11      RST_STREAM with HTTP_1_1_REQUIRED
//   reset       RST_STREAM with INTERNAL_ERROR
import fs from 'node:fs';
import http2 from 'node:http2';
import net from 'node:net';

const [certificate, key, ...words] = process.argv.slice(2);
const { NGHTTP2_REFUSED_STREAM, NGHTTP2_HTTP_1_1_REQUIRED, NGHTTP2_INTERNAL_ERROR } =
    http2.constants;
const links = new Map();  // the server's port of a forwarded connection -> its two sockets
const late = [];
let connections = 0;
let requests = 0;

function next(link, version) {
  const word = words[requests++] ?? 'answer';
  console.log(`connection ${link.number} ${version} ${word}`);
  if (word === 'swallow') link.swallows = true;
  if (word === 'stall') [link.near, link.far].forEach((socket) => socket.pause());
  if (word === 'cut') link.near.resetAndDestroy();
  if (word === 'end') link.near.end();
  return word;
}

const options = {
  cert: fs.readFileSync(certificate), key: fs.readFileSync(key), allowHTTP1: true,
};
const server = http2.createSecureServer(options);
const tlsOf = new Map();  // the server's port of a forwarded connection -> its end of TLS
server.on('secureConnection', (socket) => tlsOf.set(socket.remotePort, socket));
server.on('stream', (stream) => {
  stream.on('error', () => {});
  let read = 0;
  stream.on('data', (piece) => { read += piece.length; });
  stream.on('end', () => {
    const link = links.get(stream.session.socket.remotePort);
    const word = next(link, 'h2');
    late.splice(0).forEach((reply) => setImmediate(reply));
    const answer = () => {
      stream.respond({ ':status': 200, 'content-type': 'application/json' });
      stream.end(String(requests));
    };
    if (word === 'answer' || word === 'swallow' || word === 'stall') answer();
    if (word === 'late') late.push(answer);
    if (word === 'notify') tlsOf.get(stream.session.socket.remotePort).end();
    if (word === 'close') stream.session.destroy();
    if (word === 'refuse') stream.close(NGHTTP2_REFUSED_STREAM);
    if (word === 'http11') stream.close(NGHTTP2_HTTP_1_1_REQUIRED);
    if (word === 'reset') stream.close(NGHTTP2_INTERNAL_ERROR);
    if (word === 'goaway') stream.session.goaway(0, stream.id - 2);
    if (word === 'goaway_done') {
      stream.session.goaway(0, stream.id);
      answer();
    }
  });
});
server.on('request', (request, response) => {
  if (request.httpVersionMajor !== 1) return;
  request.resume();
  request.on('end', () => {
    next(links.get(request.socket.remotePort), 'h1');
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(String(requests));
  });
});
server.on('sessionError', () => {});

server.listen(0, '127.0.0.1', () => {
  const forwarder = net.createServer((near) => {
    const far = net.connect(server.address().port, '127.0.0.1');
    const link = { near, far, number: ++connections, swallows: false };
    far.on('connect', () => links.set(far.localPort, link));
    for (const [from, to] of [[near, far], [far, near]]) {
      from.on('data', (piece) => { if (!link.swallows) to.write(piece); });
      from.on('close', () => { if (!link.swallows) to.destroy(); });
      from.on('error', () => {});
    }
  });
  forwarder.listen(0, '127.0.0.1', () => console.log(`port ${forwarder.address().port}`));
});
process.stdin.on('end', () => process.exit()).resume();
