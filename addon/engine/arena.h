// The engine's memory, which the build fills with a runtime that has loaded and evaluated all modules of the command
// (snapshot.cc). A command starts where that left off, and reads only the pages of the file that it touches.
#pragma once
#include <cstddef>

#include "environment.h"

// Everything that outlives a call and must be there when the executable starts. It points only into the arena, or into
// the executable, which is linked to a fixed address.
struct Engine {
  bool complete;
  JSRuntime* runtime;
  napi_env__ env;
};

// At the start of the arena.
Engine& engine();

// For JS_NewRuntime2. A command lives for milliseconds and makes some ten thousand small blocks; libc's malloc took a
// quarter of that time.
extern const JSMallocFunctions kAllocator;

// Makes the arena's present contents immortal: they are not reference-counted, freed or reused, and later blocks get
// other pages. So a page of the snapshot that nobody writes to is never copied.
void arena_seal();

// In a new process, tells the engine what is immortal. Call it before the engine runs.
void arena_open();

// The whole arena, as it goes into the executable, and how much of it is in use.
const char* arena_bytes();
size_t arena_size();
size_t arena_used();
