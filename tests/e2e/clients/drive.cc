// What the test asks on standard input, the client in docs/clients/rota_client.h answers. See
// clients_test.cc.
#include <iostream>

#include "rota_client.h"

int main(int argc, char** argv) {
  if (argc != 3) return 64;
  const std::chrono::milliseconds patience(static_cast<int>(1000 * std::stod(argv[2])));
  const char* const bearer = std::getenv("ROTA_TOKEN");
  rota_client::Rota client(argv[1], patience, bearer == nullptr ? "" : bearer);
  std::string what;
  std::unordered_map<std::string, std::string> last;
  for (rota_client::Member member; std::cin >> what >> member.name >> member.value;) {
    try {
      const std::string token = client.token(member, what == "refused" ? last[member.value] : "");
      last[member.value] = token;
      std::cout << "token " << token << std::endl;
    } catch (const rota_client::MemberGone& gone) {
      std::cout << "gone " << gone.code << std::endl;
    } catch (const rota_client::Error& error) {
      std::cout << "error " << error.code << " "
                << error.retry_after.value_or(std::chrono::seconds(0)).count() << std::endl;
    }
  }
}
