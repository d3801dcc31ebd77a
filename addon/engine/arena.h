// The memory of the engine, which the build fills: a runtime with all modules of the command loaded and evaluated
// (snapshot.cc). A command starts where that left off, and takes from the file only the pages that it touches.
#pragma once
#include <cstddef>

#include "environment.h"

// Everything that outlives a call and must be there again when the executable starts. What it points to lies in the
// arena, or in the executable, which is linked to a fixed address.
struct Engine {
  bool complete;
  JSRuntime* runtime;
  napi_env__ env;
};

// At the start of the arena.
Engine& engine();

// For JS_NewRuntime2. A command lives for milliseconds and makes some ten thousand small blocks, of which libc's malloc
// took a quarter of the time.
extern const JSMallocFunctions kAllocator;

// Makes what is in the arena now immortal: nothing of it is counted, freed or reused, and what comes later has pages of
// its own. A page of the snapshot that nobody writes to is never copied.
void arena_seal();

// Tells the engine in a new process what is immortal, before it runs.
void arena_open();

// The whole arena, as it goes into the executable, and how much of it is used.
const char* arena_bytes();
size_t arena_size();
size_t arena_used();
