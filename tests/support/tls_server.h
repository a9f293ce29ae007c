#pragma once

#include <sys/types.h>

#include <string>

#include "tests/support/certificate.h"

namespace rota {

// The openssl command as a TLS server on a free port of 127.0.0.1. It speaks no HTTP (it returns
// each line reversed), which is enough to tell a refused handshake from a call that was sent.
class TlsServer {
 public:
  // `version` as an option of openssl s_server.
  explicit TlsServer(const Certificate& certificate, const std::string& version = "-tls1_3");
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;
  ~TlsServer();

  bool runs() const { return port_ != 0; }
  std::string url() const;

 private:
  pid_t child_ = -1;
  int port_ = 0;
};

}  // namespace rota
