// The part of the engine that only the build runs.
#pragma once

// Loads the modules of an image into the arena and writes the arena to a file: tsrun-engine IMAGE OUT, before the
// snapshot is in it. Returns the exit code.
int make_snapshot(int count, char** values);
