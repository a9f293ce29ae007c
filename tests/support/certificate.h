#pragma once

#include <string>

namespace rota {

// A self-signed certificate and its key, made by the openssl command. Their folder is removed with
// this object.
class Certificate {
 public:
  enum class Life { kNow, kOver };
  // `names`: the subjectAltName, or empty for none. `subject`: as openssl takes it. made() says
  // whether it worked.
  explicit Certificate(const std::string& names, const std::string& subject = "/CN=rota-test",
                       Life life = Life::kNow);
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;
  ~Certificate();

  bool made() const { return made_; }
  std::string certificate() const { return folder_ + "/cert.pem"; }
  std::string key() const { return folder_ + "/key.pem"; }
  const std::string& folder() const { return folder_; }

 private:
  bool expire() const;

  std::string folder_;
  bool made_ = false;
};

}  // namespace rota
