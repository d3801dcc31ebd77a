/** Layers of an overlay filesystem (overlayfs.rst). */

export interface Layers {
  /** Directories, the topmost first. */
  readonly lower: readonly string[];
  /** Data-only layers. */
  readonly data: readonly string[];
}

/** @param lowerdir value of the option: a colon before each further layer, two before each that holds data only */
export function layersOfLowerdir(lowerdir: string): Layers {
  const [lower = '', ...data] = lowerdir.split(/(?<!\\)::/);
  return { lower: lower.split(/(?<!\\):/).map(unescaped), data: data.map(unescaped) };
}

/** In a parameter for one directory, colons and commas have no meaning. */
function unescaped(path: string): string {
  return path.replace(/\\(.)/gs, '$1');
}
