#include "support/http_oddities.h"

namespace rota::testing {
namespace {

using std::string_literals::operator""s;

std::string with_target(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: x\r\n\r\n";
}

std::string with_start(std::string_view start) {
  return std::string(start) + "\r\nHost: x\r\n\r\n";
}

std::vector<std::string> odd_line_ends() {
  return {
      "\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
      "\r\n\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
      "\r\n \r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
      "\r\rGET / HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET / HTTP/1.1\nHost: x\n\n",
      "GET / HTTP/1.1\r\nHost: x\n\r\n",
      "GET / HTTP/1.1\r\nHost: x\r\n\n",
      "GET / HTTP/1.1\r\nHost: x\n\n",
      "GET / HTTP/1.1\rHost: x\r\n\r\n",
      "GET / HTTP/1.1\r\r\nHost: x\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: x\r\n\r\r\n",
      "GET / HTTP/1.1\r\nHost: x\r\r\n\r\n",
      with_fields("A: b\rc\r\n"),
      with_fields("A: b\nc: d\r\n"),
      with_fields("A: b\r\n\rc: d\r\n"),
  };
}

std::vector<std::string> odd_bytes() {
  return {
      "\0GET / HTTP/1.1\r\nHost: x\r\n\r\n"s,
      "G\0T / HTTP/1.1\r\nHost: x\r\n\r\n"s,
      with_target("/a\0b"s),
      with_start("GET / HTTP/1.1\0"s),
      "GET / HTTP/1.1\r\nHost: x\0\r\n\r\n"s,
      "GET / HTTP/1.1\r\nHost\0: x\r\n\r\n"s,
      with_fields("A: b\0c\r\n"s),
      with_fields("A\0: b\r\n"s),
      with_fields("\0\r\n"s),
      with_fields("Content-Length: 1\0\r\n"s),
      with_fields("A: b\x01\r\n"),
      with_fields("A: b\x0b\r\n"),
      with_fields("A: b\x1b[2J\r\n"),
      with_fields("A: b\x7f\r\n"),
  };
}

// Other protocols, and bytes that are no protocol.
std::vector<std::string> other_protocols() {
  return {
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s,    // TLS 1.2 and 1.3, ClientHello
      "\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10"s,    // SSLv2
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",                 // HTTP/2
      "\x00\x00\x12\x04\x00\x00\x00\x00\x00"s,            // an HTTP/2 frame
      "SSH-2.0-OpenSSH_9.2\r\n",                          //
      "EHLO example.com\r\n",                             // SMTP
      "*1\r\n$4\r\nPING\r\n",                             // Redis
      "PROXY UNIX\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",  // HAProxy's PROXY protocol
      "l\x01\x00\x01\x00\x00\x00\x00"s,                   // D-Bus
      "\xff\xfe\xfd\xfc\x80\x81\r\n",                     //
      std::string(64, '\0'),                              //
      "{\"jsonrpc\":\"2.0\"}\r\n",                        //
      "<?xml version=\"1.0\"?>\r\n",                      //
  };
}

std::vector<std::string> odd_request_lines() {
  return {
      with_start("GET /"),
      with_start("GET HTTP/1.1"),
      with_start("GET"),
      with_start(" "),
      with_start("GET  / HTTP/1.1"),
      with_start("GET /  HTTP/1.1"),
      with_start("GET\t/ HTTP/1.1"),
      with_start("GET /\tHTTP/1.1"),
      with_start(" GET / HTTP/1.1"),
      with_start("GET / HTTP/1.1 "),
      with_start("GET / HTTP/1.1\t"),
      with_start("G@T / HTTP/1.1"),
      with_start("G\xc3\x89T / HTTP/1.1"),
      with_start("GET / HTTP/0.9"),
      with_start("GET / HTTP/1.2"),
      with_start("GET / HTTP/1.01"),
      with_start("GET / HTTP/01.1"),
      with_start("GET / HTTP/1.10"),
      with_start("GET / HTTP/1,1"),
      with_start("GET / HTTP/1."),
      with_start("GET / HTTP/11"),
      with_start("GET / HTTP/2"),
      with_start("GET / HTTP/2.0"),
      with_start("GET / HTTP/3.0"),
      with_start("GET / http/1.1"),
      with_start("GET / HTTPS/1.1"),
  };
}

std::vector<std::string> odd_targets() {
  return {
      with_target("http:/x/"),
      with_target("http:x"),
      with_target("http://"),
      with_target("http:///v1/token"),
      with_target("http://?a"),
      with_target("http://:80/"),
      with_target("http://x:8a/"),
      with_target("http://x:80:80/"),
      with_target("http://user@x/"),
      with_target("http://user:secret@x/"),
      with_target("http://a\"b/"),
      with_target("http://x\xc3\xa9/"),
      with_target("http://[::1/"),
      with_target("http://[]/"),
      with_target("http://[::1]x/"),
      with_target("http://[a@b]/"),
      with_target("http://x/#a"),
      with_target("http://x/%4"),
      with_target("https://x/"),
      with_target("ftp://x/"),
      with_target("unix:/x"),
      with_target("//x/ /"),
      with_target("*"),
      with_target("x:80"),
      with_target("v1/token"),
      with_target("?a"),
      with_target("/a#b"),
      with_target("/a b"),
      with_target("/\xe9"),
      with_target("/\xc3"),
      with_target("/\xc0\xaf"),
      with_target("/\xed\xa0\x80"),
      with_target("/\x7f"),
      with_target("/\xc2\x85"),      // U+0085, a control character of C1
      with_target("/?a=\xc2\x9bz"),  // U+009B, CSI
      with_target("/%"),
      with_target("/%4"),
      with_target("/%4x"),
      with_target("/%x4"),
      with_target("/?a=%"),
      with_target("/?a=%%41"),
      "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n",
      "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
  };
}

std::vector<std::string> odd_hosts() {
  return {
      "GET / HTTP/1.1\r\n\r\n",
      "GET / HTTP/1.1\r\nX-Host: x\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nHOST: b\r\n\r\n",
      "GET / HTTP/1.1\r\nHost:\r\nHost:\r\n\r\n",
      "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a?b\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: \"a\"\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: \xc3\xa9\r\n\r\n",
  };
}

std::vector<std::string> odd_fields() {
  return {
      "GET / HTTP/1.1\r\n Host: x\r\n\r\n",
      "GET / HTTP/1.1\r\n\tHost: x\r\n\r\n",
      with_fields(" folded\r\n"),
      with_fields("A: b\r\n folded\r\n"),
      with_fields("A: b\r\n\tfolded\r\n"),
      with_fields("A: b\r\n \r\n"),
      with_fields("Content-Length:\r\n 5\r\n"),
      with_fields("A : b\r\n"),
      with_fields("A\t: b\r\n"),
      with_fields("Transfer-Encoding : chunked\r\n"),
      with_fields("Content-Length : 5\r\n"),
      with_fields("A b: c\r\n"),
      with_fields(": b\r\n"),
      with_fields(":\r\n"),
      with_fields("no colon\r\n"),
      with_fields("\xe9: b\r\n"),
      with_fields("Transfer\xad"
                  "Encoding: chunked\r\n"),
      with_fields("A\": b\r\n"),
      with_fields("(A): b\r\n"),
  };
}

std::vector<std::string> odd_framing() {
  return {
      with_fields("Content-Length: 1\r\nContent-Length: 1\r\n"),
      with_fields("Content-Length: 1\r\nContent-Length: 2\r\n"),
      with_fields("Content-Length: 0\r\ncontent-length: 0\r\n"),
      with_fields("Content-Length: 1, 1\r\n"),
      with_fields("Content-Length: 1,\r\n"),
      with_fields("Content-Length: +1\r\n"),
      with_fields("Content-Length: -1\r\n"),
      with_fields("Content-Length: -0\r\n"),
      with_fields("Content-Length: 0x1\r\n"),
      with_fields("Content-Length: 1e1\r\n"),
      with_fields("Content-Length: 1.0\r\n"),
      with_fields("Content-Length: 1_0\r\n"),
      with_fields("Content-Length: 1 1\r\n"),
      with_fields("Content-Length: 1\t1\r\n"),
      with_fields("Content-Length: \"1\"\r\n"),
      with_fields("Content-Length: 1;\r\n"),
      with_fields("Content-Length: \xd9\xa1\r\n"),      // the Arabic digit 1
      with_fields("Content-Length: \xef\xbc\x91\r\n"),  // the full-width digit 1
      with_fields("Content-Length: \xc2\xa0"
                  "1\r\n"),  // no-break space
      with_fields("Content-Length:\r\n"),
      with_fields("Content-Length: \r\n"),
      with_fields("transfer-encoding: identity\r\n"),
      with_fields("Transfer-Encoding:\r\n"),
      with_fields("Transfer-Encoding: chunked, gzip\r\n"),
      with_fields("Transfer-Encoding: chunked, chunked\r\n"),
      with_fields("Transfer-Encoding: chunked;q=1\r\n"),
      with_fields("Transfer-Encoding: \"chunked\"\r\n"),
      with_fields("Transfer-Encoding: , chunked\r\n"),
      with_fields("Transfer-Encoding: chunked,\r\n"),
      with_fields("Transfer-Encoding: \x0b"
                  "chunked\r\n"),
      with_fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
      with_fields("Transfer-Encoding: xchunked\r\n"),
      with_fields("TRANSFER-ENCODING:chunked\r\nTransfer-Encoding: identity\r\n"),
      with_fields("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
      with_fields("Transfer-Encoding: chunked\r\nContent-Length: 1\r\n"),
      "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  };
}

}  // namespace

std::vector<std::string> http_oddities() {
  std::vector<std::string> all;
  for (auto* family : {odd_line_ends, odd_bytes, other_protocols, odd_request_lines, odd_targets,
                       odd_hosts, odd_fields, odd_framing}) {
    for (std::string& bytes : family()) all.push_back(std::move(bytes));
  }
  return all;
}

std::vector<std::string> http_oversizes() {
  const std::string long_text(9'000, 'a');
  return {
      with_fields("Content-Length: 4097\r\n"),
      with_fields("Content-Length: 4294967297\r\n"),            // 2^32 + 1
      with_fields("Content-Length: 18446744073709551615\r\n"),  // 2^64 - 1
      with_fields("Content-Length: 18446744073709551617\r\n"),  // 2^64 + 1
      with_fields("Content-Length: 99999999999999999999999\r\n"),
      long_text,
      "GET /" + long_text + " HTTP/1.1\r\nHost: x\r\n\r\n",
      with_fields("X: " + long_text + "\r\n"),
      with_fields(long_text + ": x\r\n"),
      with_fields("Cookie: " + std::string(9'000, ' ') + "\r\n"),
  };
}

std::vector<std::string> chunk_oddities() {
  using namespace std::string_literals;
  return {
      // The size.
      "\r\n"s,
      "\r\n3\r\nabc\r\n0\r\n\r\n"s,
      "x\r\n"s,
      "0x3\r\nabc\r\n"s,
      "+3\r\nabc\r\n"s,
      "-3\r\nabc\r\n"s,
      " 3\r\nabc\r\n"s,
      "3 \r\nabc\r\n"s,
      "3\t\r\nabc\r\n"s,
      "3 3\r\nabc\r\n"s,
      "3 a;b\r\nabc\r\n"s,
      "3,3\r\nabc\r\n"s,
      "3.0\r\nabc\r\n"s,
      "3_0\r\nabc\r\n"s,
      "\"3\"\r\nabc\r\n"s,
      "3g\r\nabc\r\n"s,
      ";a=b\r\n"s,
      "\xef\xbc\x93\r\nabc\r\n"s,  // the full-width digit 3
      "\0\r\n"s,
      // The ends of lines.
      "3\nabc\r\n0\r\n\r\n"s,
      "3\rabc\r\n0\r\n\r\n"s,
      "3;a\nb\r\nabc\r\n"s,
      "3;a\rb\r\nabc\r\n"s,
      "3;\0\r\nabc\r\n"s,
      "3\r\nabc\n0\r\n\r\n"s,
      "3\r\nabc\r0\r\n\r\n"s,
      "3\r\nabc0\r\n\r\n"s,
      "3\r\nabcd\r\n0\r\n\r\n"s,
      "3\r\nabc \r\n0\r\n\r\n"s,
      "3\r\nabc\r\n\r\n"s,
      "0\r\n\n"s,
      "0\n\r\n"s,
      // Trailers.
      "0\r\nno colon\r\n\r\n"s,
      "0\r\n: x\r\n\r\n"s,
      "0\r\nA : x\r\n\r\n"s,
      "0\r\nA: x\r\n folded\r\n\r\n"s,
      "0\r\nA: x\ny\r\n\r\n"s,
      "0\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"s,
  };
}

std::string with_fields(std::string_view fields) {
  return "GET / HTTP/1.1\r\nHost: x\r\n" + std::string(fields) + "\r\n";
}

}  // namespace rota::testing
