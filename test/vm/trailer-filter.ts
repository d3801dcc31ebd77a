/**
 * Passes a stream on up to the trailer, and takes the exit code from that (see jobScript). Holds back what may be the
 * beginning of a trailer until it is clear that it is not.
 */
export class TrailerFilter {
  /** Set once the trailer has come. */
  exitCode: number | undefined;
  readonly #trailer: Buffer;
  readonly #emit: (data: Buffer) => void;
  #held: Buffer = Buffer.alloc(0);

  constructor(trailer: string, emit: (data: Buffer) => void) {
    this.#trailer = Buffer.from(trailer);
    this.#emit = emit;
  }

  write(data: Buffer): void {
    if (this.exitCode !== undefined) return;
    const text = this.#held.length > 0 ? Buffer.concat([this.#held, data]) : data;
    const at = text.indexOf(this.#trailer);
    const keepFrom = at >= 0 ? at : text.length - this.#beginningAtEnd(text);
    if (keepFrom > 0) this.#emit(text.subarray(0, keepFrom));
    this.#held = text.subarray(keepFrom);
    if (at < 0) return;
    const [code, end] = this.#held.subarray(this.#trailer.length).toString().split('\u001e');
    if (end !== undefined) this.exitCode = Number(code);
  }

  /** How many of the last bytes may begin the trailer. The trailer's first byte occurs in it only once. */
  #beginningAtEnd(text: Buffer): number {
    const start = text.lastIndexOf(this.#trailer.subarray(0, 1));
    if (start < 0) return 0;
    const tail = text.subarray(start);
    return this.#trailer.subarray(0, tail.length).equals(tail) ? tail.length : 0;
  }
}
