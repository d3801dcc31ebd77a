# A section of its own, of a fixed size and at a fixed address, so that the build can put the snapshot into it.
.section .snapshot, "aw", @progbits
.globl tsrun_arena
.globl tsrun_arena_end
.balign 4096
tsrun_arena:
.zero TSRUN_ARENA_SIZE
tsrun_arena_end:
.section .note.GNU-stack, "", @progbits
