// SHA-1 and SHA-256 (FIPS 180-4), from which the kernel derives the tags of eBPF programs. No library in the executable
// has them.
#pragma once
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace tsrun {

namespace sha {

inline uint32_t left(uint32_t word, int bits) { return word << bits | word >> (32 - bits); }
inline uint32_t right(uint32_t word, int bits) { return left(word, 32 - bits); }

// The message and its padding: a bit, zeros, and its length in bits.
inline std::string padded(std::string_view bytes) {
  std::string all(bytes);
  all += '\x80';
  all.append((120 - all.size() % 64) % 64, '\0');
  uint64_t bits = bytes.size() * 8;
  for (int shift = 56; shift >= 0; shift -= 8) all += static_cast<char>(bits >> shift);
  return all;
}

inline uint32_t word_at(const char* at) {
  uint32_t word = 0;
  for (int i = 0; i < 4; i++) word = word << 8 | static_cast<unsigned char>(at[i]);
  return word;
}

template <size_t kWords>
std::string bytes_of(const std::array<uint32_t, kWords>& words) {
  std::string bytes;
  for (uint32_t word : words) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(word >> shift);
  }
  return bytes;
}

inline constexpr uint32_t kRounds256[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

}  // namespace sha

inline std::string sha1(std::string_view bytes) {
  using namespace sha;
  std::array<uint32_t, 5> state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  std::string all = padded(bytes);
  for (size_t block = 0; block < all.size(); block += 64) {
    uint32_t words[80];
    for (size_t i = 0; i < 16; i++) words[i] = word_at(&all[block + i * 4]);
    for (size_t i = 16; i < 80; i++) words[i] = left(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
    auto [a, b, c, d, e] = state;
    for (size_t i = 0; i < 80; i++) {
      uint32_t mixed = i < 20   ? ((b & c) | (~b & d)) + 0x5a827999
                       : i < 40 ? (b ^ c ^ d) + 0x6ed9eba1
                       : i < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc
                                : (b ^ c ^ d) + 0xca62c1d6;
      uint32_t next = left(a, 5) + mixed + e + words[i];
      e = d, d = c, c = left(b, 30), b = a, a = next;
    }
    state = {state[0] + a, state[1] + b, state[2] + c, state[3] + d, state[4] + e};
  }
  return bytes_of(state);
}

inline std::string sha256(std::string_view bytes) {
  using namespace sha;
  std::array<uint32_t, 8> state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                   0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::string all = padded(bytes);
  for (size_t block = 0; block < all.size(); block += 64) {
    uint32_t words[64];
    for (size_t i = 0; i < 16; i++) words[i] = word_at(&all[block + i * 4]);
    for (size_t i = 16; i < 64; i++) {
      uint32_t early = words[i - 15], late = words[i - 2];
      words[i] = words[i - 16] + (right(early, 7) ^ right(early, 18) ^ early >> 3) + words[i - 7] +
                 (right(late, 17) ^ right(late, 19) ^ late >> 10);
    }
    auto [a, b, c, d, e, f, g, h] = state;
    for (size_t i = 0; i < 64; i++) {
      uint32_t first =
          h + (right(e, 6) ^ right(e, 11) ^ right(e, 25)) + ((e & f) ^ (~e & g)) + kRounds256[i] + words[i];
      uint32_t second = (right(a, 2) ^ right(a, 13) ^ right(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
      h = g, g = f, f = e, e = d + first, d = c, c = b, b = a, a = first + second;
    }
    state = {state[0] + a, state[1] + b, state[2] + c, state[3] + d,
             state[4] + e, state[5] + f, state[6] + g, state[7] + h};
  }
  return bytes_of(state);
}

}  // namespace tsrun
