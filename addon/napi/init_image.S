/* The bytes of tsrun-init. */
    .section .rodata
    .globl tsrun_init_image
    .globl tsrun_init_image_end
    .hidden tsrun_init_image
    .hidden tsrun_init_image_end
    .balign 16
tsrun_init_image:
    .incbin TSRUN_INIT_PATH
tsrun_init_image_end:
    .section .note.GNU-stack,"",%progbits
