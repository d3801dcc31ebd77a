/** Names a configuration file for CRIU, which may have it run programs (runc's and crun's name). */
export const criuConfigAnnotation = 'org.criu.config';
