/* The bytes of tsrun-libraries-server. */
    .section .rodata
    .globl tsrun_libraries_image
    .globl tsrun_libraries_image_end
    .hidden tsrun_libraries_image
    .hidden tsrun_libraries_image_end
    .balign 4096
tsrun_libraries_image:
    .incbin TSRUN_LIBRARIES_PATH
tsrun_libraries_image_end:
    .balign 4096
    .section .note.GNU-stack,"",%progbits
