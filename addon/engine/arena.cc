#include "arena.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

extern "C" char tsrun_arena[], tsrun_arena_end[];
// Functions that scripts/lib/quickjs-immortal.mjs adds to the engine.
extern "C" uintptr_t js_immortal_end;
extern "C" void JS_SealHeap(JSRuntime*, uintptr_t);

namespace {

// The engine asks once for each block of up to kSmall bytes, and reuses those itself (scripts/lib/quickjs-blocks.mjs):
// they are cut off the arena and never come back. A large block has its size before it, and comes from malloc once the
// snapshot is complete; so do small ones when the arena is full.
constexpr size_t kStep = 16;
#ifdef __SANITIZE_ADDRESS__
constexpr size_t kSmall = 0;
#else
constexpr size_t kSmall = 512;
#endif

struct alignas(kStep) Header {
  size_t size;
};

struct Start {
  Engine engine;
  // Size of the snapshot, which begins where the arena does.
  size_t sealed;
  char* unused;
};

Start& start() { return *reinterpret_cast<Start*>(tsrun_arena); }

size_t rounded(size_t size) { return (size + kStep - 1) / kStep * kStep; }
Header* header_of(const void* block) { return static_cast<Header*>(const_cast<void*>(block)) - 1; }

uintptr_t snapshot_end() { return reinterpret_cast<uintptr_t>(tsrun_arena) + start().sealed; }

bool in_arena(const void* block) { return block > tsrun_arena && block < tsrun_arena_end; }

void* from_arena(size_t size) {
  if (start().unused == nullptr) start().unused = tsrun_arena + rounded(sizeof(Start));
  if (static_cast<size_t>(tsrun_arena_end - start().unused) < size) return nullptr;
  void* memory = start().unused;
  start().unused += size;
  return memory;
}

void* from_malloc(size_t size) {
  if (!start().engine.complete) {
    fputs("tsrun-engine: the arena is too small for the snapshot\n", stderr);
    abort();
  }
  return malloc(size);
}

void* with_header(void* memory, size_t size) {
  if (memory == nullptr) return nullptr;
  auto* header = static_cast<Header*>(memory);
  header->size = size;
  return header + 1;
}

void* take_small(size_t size) {
  void* block = from_arena(size);
  return block != nullptr ? block : from_malloc(size);
}

void* take_large(size_t size) {
  size_t whole = size + sizeof(Header);
  if (start().engine.complete) return with_header(from_malloc(whole), size);
  void* memory = from_arena(whole);
  return with_header(memory != nullptr ? memory : from_malloc(whole), size);
}

void* allocate(void*, size_t wanted) {
  if (wanted == 0 || wanted > PTRDIFF_MAX) return nullptr;
  size_t size = rounded(wanted);
  return size <= kSmall ? take_small(size) : take_large(size);
}

// A large block; one of the snapshot stays where it is.
void release(void*, void* block) {
  if (block != nullptr && !in_arena(block)) free(header_of(block));
}

// A large block, which stays large.
void* resize(void* state, void* block, size_t wanted) {
  Header* header = header_of(block);
  size_t size = rounded(wanted);
  if (size == header->size) return block;
  if (!in_arena(block)) return with_header(realloc(header, size + sizeof(Header)), size);
  void* moved = allocate(state, wanted);
  if (moved == nullptr) return nullptr;
  memcpy(moved, block, header->size < size ? header->size : size);
  return moved;
}

void* allocate_zeroed(void* state, size_t count, size_t each) {
  void* block = allocate(state, count * each);
  if (block != nullptr) memset(block, 0, count * each);
  return block;
}

// Of a large block.
size_t usable_size(const void* block) { return header_of(block)->size; }

}  // namespace

const JSMallocFunctions kAllocator = {allocate_zeroed, allocate, release, resize, usable_size};

Engine& engine() { return start().engine; }

void arena_seal() {
  constexpr size_t kPage = 4096;
  start().sealed = (arena_used() + kPage - 1) / kPage * kPage;
  start().unused = tsrun_arena + start().sealed;
  JS_SealHeap(engine().runtime, snapshot_end());
}

void arena_open() { js_immortal_end = snapshot_end(); }

const char* arena_bytes() { return tsrun_arena; }
size_t arena_size() { return static_cast<size_t>(tsrun_arena_end - tsrun_arena); }
size_t arena_used() { return static_cast<size_t>(start().unused - tsrun_arena); }
