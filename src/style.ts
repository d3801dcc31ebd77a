/** Colours for a terminal. Node's util.styleText is not in the standalone executable. */

export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
}

/** Whether a stream shows colours: it is a terminal that can, and the user wants them (https://no-color.org). */
export function hasColours(stream: { isTTY?: boolean }): boolean {
  return stream.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
}

/** @param coloured if false, every text stays as it is */
export function styles(coloured: boolean): Style {
  const code = (on: number, off: number) => (text: string) => {
    return coloured && text !== '' ? `\u001b[${on}m${text}\u001b[${off}m` : text;
  };
  return {
    bold: code(1, 22),
    dim: code(2, 22),
    red: code(31, 39),
    green: code(32, 39),
    yellow: code(33, 39),
    cyan: code(36, 39),
  };
}
