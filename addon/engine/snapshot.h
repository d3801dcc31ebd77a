// The build's part of the engine.
#pragma once

// Loads the modules of an image into the arena and writes the arena to a file: tsrun-engine IMAGE OUT, before the
// snapshot is in it. Gives the exit code.
int make_snapshot(int count, char** values);
