# The bytecode of all modules, as compiler.cc writes it.
.section .rodata
.globl tsrun_image
.balign 16
tsrun_image:
.incbin TSRUN_IMAGE_PATH
.section .note.GNU-stack, "", @progbits
