// Passes ttrpc frames between containerd and the engine, and knows which requests have no answer yet.
#pragma once
#include <poll.h>

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace tsrun {

// One connection of containerd's.
class Relay {
 public:
  explicit Relay(int client) : client_(client) {}
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  // Begins with a new engine: every request without an answer is sent again. -1: there is no engine now.
  void attach(int engine);
  void add_to(std::vector<pollfd>& polled) const;
  // Reads and writes what can be. False: the client has gone, or sends what is not ttrpc.
  bool move(const pollfd& client, const pollfd& engine);
  // Whether the engine has closed the connection; it may be about to end.
  bool is_cut() const { return engine_ < 0; }

 private:
  struct Request {
    uint32_t stream;
    std::string frame;
  };

  bool from_client();
  void from_engine();
  void cut();
  void settle(uint32_t stream);

  int client_;
  int engine_ = -1;
  // Begun frames of each side, and whole ones that the other side has not taken yet.
  std::string client_part_, engine_part_, to_engine_, to_client_;
  std::deque<Request> pending_;
  size_t pending_size_ = 0;
};

}  // namespace tsrun
