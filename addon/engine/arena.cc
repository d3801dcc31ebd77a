#include "arena.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

extern "C" char tsrun_arena[], tsrun_arena_end[];
// Functions that scripts/lib/quickjs-immortal.mjs adds to the engine.
extern "C" uintptr_t js_immortal_start, js_immortal_size;
extern "C" void JS_SealHeap(JSRuntime*, uintptr_t, size_t);

namespace {

// Blocks are cut off the arena; a freed one goes to the list of its size. Each has its size, a multiple of kStep,
// before it. Large blocks, and all once the arena is full, come from malloc.
constexpr size_t kStep = 16;
constexpr size_t kSmall = 512;

struct Header {
  size_t size;
};

union Block {
  Block* next;
  char bytes[1];
};

struct Start {
  Engine engine;
  // Size of the snapshot, which begins where the arena does.
  size_t sealed;
  char* unused;
  Block* freed[kSmall / kStep + 1];
};

Start& start() { return *reinterpret_cast<Start*>(tsrun_arena); }

size_t rounded(size_t size) { return (size + kStep - 1) / kStep * kStep; }
Header* header_of(const void* block) { return static_cast<Header*>(const_cast<void*>(block)) - 1; }

bool in_arena(const void* block) { return block > tsrun_arena && block < tsrun_arena_end; }

bool is_sealed(const void* block) {
  return reinterpret_cast<uintptr_t>(block) - reinterpret_cast<uintptr_t>(tsrun_arena) < start().sealed;
}

void* with_header(void* memory, size_t size) {
  if (memory == nullptr) return nullptr;
  auto* header = static_cast<Header*>(memory);
  header->size = size;
  return header + 1;
}

void* from_arena(size_t size) {
  size_t whole = size + sizeof(Header);
  if (start().unused == nullptr) start().unused = tsrun_arena + rounded(sizeof(Start)) + kStep - sizeof(Header);
  if (static_cast<size_t>(tsrun_arena_end - start().unused) < whole) return nullptr;
  void* memory = start().unused;
  start().unused += whole;
  return with_header(memory, size);
}

void* from_malloc(size_t size) {
  if (!start().engine.complete) {
    fputs("tsrun-engine: the arena is too small for the snapshot\n", stderr);
    abort();
  }
  return with_header(malloc(size + sizeof(Header)), size);
}

void* take(size_t size) {
  if (size > kSmall) return start().engine.complete ? from_malloc(size) : from_arena(size);
  Block*& list = start().freed[size / kStep];
  if (list != nullptr) {
    void* block = list;
    list = list->next;
    return block;
  }
  void* block = from_arena(size);
  return block != nullptr ? block : from_malloc(size);
}

void* allocate(void*, size_t wanted) {
  if (wanted == 0 || wanted > PTRDIFF_MAX) return nullptr;
  size_t size = rounded(wanted);
  return take(size);
}

void release(void*, void* block) {
  if (block == nullptr || is_sealed(block)) return;
  Header* header = header_of(block);
  if (header->size <= kSmall) {
    auto* freed = static_cast<Block*>(block);
    freed->next = start().freed[header->size / kStep];
    start().freed[header->size / kStep] = freed;
  } else if (!in_arena(block)) {
    free(header);
  }
}

void* resize(void* state, void* block, size_t wanted) {
  if (block == nullptr) return allocate(state, wanted);
  if (wanted == 0) {
    release(state, block);
    return nullptr;
  }
  Header* header = header_of(block);
  size_t before = header->size, size = rounded(wanted);
  if (size == before) return block;
  if (before > kSmall && size > kSmall && !in_arena(block)) {
    return with_header(realloc(header, size + sizeof(Header)), size);
  }
  void* moved = allocate(state, wanted);
  if (moved == nullptr) return nullptr;
  memcpy(moved, block, before < wanted ? before : wanted);
  release(state, block);
  return moved;
}

void* allocate_zeroed(void* state, size_t count, size_t each) {
  void* block = allocate(state, count * each);
  if (block != nullptr) memset(block, 0, count * each);
  return block;
}

size_t usable_size(const void* block) { return block == nullptr ? 0 : header_of(block)->size; }

}  // namespace

const JSMallocFunctions kAllocator = {allocate_zeroed, allocate, release, resize, usable_size};

Engine& engine() { return start().engine; }

void arena_seal() {
  for (Block*& list : start().freed) list = nullptr;
  constexpr size_t kPage = 4096;
  start().sealed = (arena_used() + kPage - 1) / kPage * kPage;
  start().unused = tsrun_arena + start().sealed + kStep - sizeof(Header);
  JS_SealHeap(engine().runtime, reinterpret_cast<uintptr_t>(tsrun_arena), start().sealed);
}

void arena_open() {
  js_immortal_start = reinterpret_cast<uintptr_t>(tsrun_arena);
  js_immortal_size = start().sealed;
}

const char* arena_bytes() { return tsrun_arena; }
size_t arena_size() { return static_cast<size_t>(tsrun_arena_end - tsrun_arena); }
size_t arena_used() { return static_cast<size_t>(start().unused - tsrun_arena); }
