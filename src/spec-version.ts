/** The version of the runtime-spec that tsrun carries out. */
export const specVersion = '1.3.0';
