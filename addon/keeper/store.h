// Descriptors that the engine leaves with the keeper, by name: the next engine gets them.
#pragma once
#include <map>
#include <string>

namespace tsrun {

class Store {
 public:
  // Reads the engine's messages: `+NAME` with a descriptor, or `-PREFIX` to close those whose names begin so.
  void listen(int control);
  // Sends all of them, and then `.`.
  void hand_over(int control) const;

 private:
  void drop(const std::string& prefix);
  std::map<std::string, int> held_;
};

}  // namespace tsrun
