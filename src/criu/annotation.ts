/**
 * Names a configuration file for CRIU, which can make CRIU run programs. The annotation's name is that of runc and
 * crun.
 */
export const criuConfigAnnotation = 'org.criu.config';
