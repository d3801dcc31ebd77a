/** The version of the runtime-spec that tsrun implements. */
export const specVersion = '1.3.0';
