// What JSON.parse does not say about a text: whether a name occurs twice, and how deep it nests.
#pragma once
#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

namespace tsrun {

// One pass over a valid JSON text. The names of all open objects are on one stack; when an object ends, its names are
// sorted. Unlike a hash table, no choice of names can make that slow.
class KeyScan {
 public:
  KeyScan(std::string_view text, size_t max_depth) : text_(text), max_depth_(max_depth) {}

  bool run() {
    while (at_ < text_.size()) {
      char c = text_[at_];
      if (c == '"' ? !string() : !sign(c)) return false;
    }
    return true;
  }

 private:
  struct Level {
    bool is_object;
    size_t first_name;
  };

  // Reads a string. False for a name with a backslash.
  bool string() {
    size_t start = at_ + 1;
    bool escaped = false;
    for (at_ = start; at_ < text_.size() && text_[at_] != '"'; at_++) {
      if (text_[at_] != '\\') continue;
      escaped = true;
      at_++;
    }
    size_t end = at_++;
    if (!name_is_next_) return true;
    name_is_next_ = false;
    names_.push_back(text_.substr(start, end - start));
    return !escaped;
  }

  bool sign(char c) {
    at_++;
    switch (c) {
      case '{':
      case '[':
        levels_.push_back({c == '{', names_.size()});
        name_is_next_ = c == '{';
        return levels_.size() <= max_depth_;
      case ',':
        name_is_next_ = !levels_.empty() && levels_.back().is_object;
        return true;
      case '}':
      case ']':
        return levels_.empty() ? false : close();
      default:
        return true;
    }
  }

  // Ends an object or array. False if a name occurs twice in it.
  bool close() {
    auto first = names_.begin() + static_cast<std::ptrdiff_t>(levels_.back().first_name);
    std::sort(first, names_.end());
    bool differ = std::adjacent_find(first, names_.end()) == names_.end();
    names_.erase(first, names_.end());
    levels_.pop_back();
    name_is_next_ = false;
    return differ;
  }

  std::string_view text_;
  size_t max_depth_;
  size_t at_ = 0;
  bool name_is_next_ = false;
  std::vector<Level> levels_;
  std::vector<std::string_view> names_;
};

}  // namespace tsrun
