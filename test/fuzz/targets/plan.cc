// A plan: whatever PlanCheck accepts can be read to its last byte. What init cannot make of other builds' plans is in
// the header, which is put right here, so that the search is not for a hash.
#include <cstdlib>

#include "../read-plan.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tsrun;
  // Of its own, as long as it is to the byte, and aligned as a mapping is.
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
