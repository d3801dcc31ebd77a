// A plan: whatever PlanCheck accepts can be read to its last byte. The header, by which init refuses plans of other
// builds, is made right first, so that the fuzzer need not find a hash.
#include <cstdlib>

#include "../read-plan.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tsrun;
  // A copy of exactly its size, aligned like a mapping.
  char* plan = static_cast<char*>(malloc(size == 0 ? 1 : size));
  memcpy(plan, data, size);
  if (size >= sizeof(PlanHeader)) {
    PlanHeader& header = *reinterpret_cast<PlanHeader*>(plan);
    header.magic = kPlanMagic;
    header.layout_hash = kLayoutHash;
    header.size = static_cast<uint32_t>(size);
  }
  if (PlanCheck(plan, size).ok()) {
    volatile uint64_t sum = read_all(plan);
    (void)sum;
  }
  free(plan);
  return 0;
}
