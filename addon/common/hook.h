// How a hook's end is told: as the `value` of a kError message, or to TypeScript directly.
#pragma once
#include <cstdint>

namespace tsrun {

enum HookEnd : uint32_t {
  kHookExited = 1,     // code: exit status
  kHookSignalled = 2,  // code: signal number
  kHookTimedOut = 3,
  kHookNotStarted = 4,  // code: errno of execve
};

inline uint32_t hook_value(HookEnd end, uint32_t code) { return (static_cast<uint32_t>(end) << 16) | (code & 0xffff); }

}  // namespace tsrun
