// Members of a JSON object, without making a value of them: for a text of which few are wanted.
#pragma once
#include <cstddef>
#include <string_view>

namespace tsrun {

// Strict: what JSON.parse refuses, this refuses. It refuses more: what nests deeper than kMaxDepth.
class JsonMembers {
 public:
  explicit JsonMembers(std::string_view text) : text_(text) {}

  // Calls use(name, value) for each member of the object that is the whole text, both as the text has them; a name
  // without its quotes. False when the text is no JSON object.
  template <typename Use>
  bool each(Use use) {
    skip_space();
    if (!object(1, use)) return false;
    skip_space();
    return at_ == text_.size();
  }

 private:
  static constexpr int kMaxDepth = 64;

  template <typename Use>
  bool object(int depth, Use use) {
    if (!take('{')) return false;
    skip_space();
    if (take('}')) return true;
    do {
      skip_space();
      size_t start = at_ + 1;
      if (!string()) return false;
      std::string_view name = text_.substr(start, at_ - start - 1);
      skip_space();
      if (!take(':')) return false;
      skip_space();
      size_t from = at_;
      if (!value(depth)) return false;
      use(name, text_.substr(from, at_ - from));
      skip_space();
    } while (take(','));
    return take('}');
  }

  bool array(int depth) {
    if (!take('[')) return false;
    skip_space();
    if (take(']')) return true;
    do {
      skip_space();
      if (!value(depth)) return false;
      skip_space();
    } while (take(','));
    return take(']');
  }

  bool value(int depth) {
    if (depth == kMaxDepth) return false;
    switch (peek()) {
      case '{':
        return object(depth + 1, [](std::string_view, std::string_view) {});
      case '[':
        return array(depth + 1);
      case '"':
        return string();
      case 't':
        return word("true");
      case 'f':
        return word("false");
      case 'n':
        return word("null");
      default:
        return number();
    }
  }

  // Most of a text is in its strings.
  bool string() {
    if (!take('"')) return false;
    const char* end = text_.data() + text_.size();
    for (const char* c = text_.data() + at_; c != end; c++) {
      if (*c == '"') {
        at_ = static_cast<size_t>(c - text_.data()) + 1;
        return true;
      }
      if (static_cast<unsigned char>(*c) < 0x20) return false;
      if (*c != '\\') continue;
      at_ = static_cast<size_t>(c - text_.data()) + 1;
      if (!escape()) return false;
      c = text_.data() + at_ - 1;
    }
    return false;
  }

  bool escape() {
    char c = peek();
    at_++;
    if (c != 'u') return c != 0 && std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos;
    for (int i = 0; i < 4; i++) {
      char digit = peek();
      bool hex = is_digit(digit) || (digit >= 'a' && digit <= 'f') || (digit >= 'A' && digit <= 'F');
      if (!hex) return false;
      at_++;
    }
    return true;
  }

  bool number() {
    take('-');
    if (!take('0') && !digits()) return false;
    if (take('.') && !digits()) return false;
    if (!take('e') && !take('E')) return true;
    if (!take('+')) take('-');
    return digits();
  }

  bool digits() {
    size_t start = at_;
    while (is_digit(peek())) at_++;
    return at_ > start;
  }

  bool word(std::string_view expected) {
    if (text_.substr(at_, expected.size()) != expected) return false;
    at_ += expected.size();
    return true;
  }

  void skip_space() {
    while (peek() == ' ' || peek() == '\n' || peek() == '\r' || peek() == '\t') at_++;
  }

  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    at_++;
    return true;
  }

  // 0 at the end.
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace tsrun
