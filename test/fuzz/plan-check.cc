// plan-check FILE SEED ROUNDS: whether init can read damaged plans safely. Reads a whole plan from FILE, and in each
// round changes a few bytes of a copy, mostly to numbers that matter. If PlanCheck accepts it, reads everything that
// init would read: AddressSanitizer, with which this is compiled, ends it at the first byte outside. Prints how many
// plans were accepted.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "read-plan.h"

namespace tsrun {
namespace {

uint64_t state;

uint32_t below(uint32_t limit) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return static_cast<uint32_t>(state >> 33) % limit;
}

void damage(char* plan, uint32_t size) {
  const uint32_t numbers[] = {0, 1, 7, 8, size - 8, size - 1, size, size + 1, 0x7fffffff, kAbsent - 1, kAbsent};
  for (uint32_t times = below(4) + 1; times > 0; times--) {
    uint32_t at = below(size / 4) * 4;
    uint32_t value = numbers[below(sizeof(numbers) / sizeof(numbers[0]))];
    if (below(4) == 0) value = below(size);
    if (below(4) == 0) {
      plan[at + below(4)] ^= static_cast<char>(1 << below(8));
    } else {
      memcpy(plan + at, &value, sizeof(value));
    }
  }
}

}  // namespace
}  // namespace tsrun

int main(int count, char** arguments) {
  using namespace tsrun;
  if (count != 4) return 2;
  FILE* file = fopen(arguments[1], "rb");
  if (file == nullptr) return 3;
  std::vector<char> whole(1 << 20);
  uint32_t size = static_cast<uint32_t>(fread(whole.data(), 1, whole.size(), file));
  fclose(file);
  if (!PlanCheck(whole.data(), size).ok()) return 4;
  state = strtoull(arguments[2], nullptr, 10);
  uint64_t sum = 0;
  long accepted = 0;
  for (long rounds = atol(arguments[3]); rounds > 0; rounds--) {
    // Exactly as long as the plan, or shorter: a plan that was cut off.
    uint32_t length = below(8) == 0 ? below(size) : size;
    char* plan = static_cast<char*>(malloc(length == 0 ? 1 : length));
    memcpy(plan, whole.data(), length);
    if (length >= 4) damage(plan, length);
    if (PlanCheck(plan, length).ok()) {
      accepted++;
      sum += read_all(plan);
    }
    free(plan);
  }
  printf("%ld\n", accepted);
  return sum == 42 ? 1 : 0;
}
