/** What the standalone executable's engine (addon/engine/host.cc) provides to JavaScript. */
import type { Addon } from '../addon.ts';

interface Host {
  architecture: string;
  addon: Addon;
  encode(text: string): Buffer;
  decode(bytes: Uint8Array): string;
  decodeLatin1(bytes: Uint8Array): string;
  allocate(size: number): Buffer;
  byteLength(text: string): number;
  write(bytes: Uint8Array, text: string, at: number): number;
  useBuffer(byteArray: Uint8ArrayConstructor, buffer: typeof Uint8Array): void;
  effectiveUid(): number;
  effectiveGid(): number;
  fileModeMask(): number;
  isTerminal(fd: number): boolean;
  workingDirectory(): string;
  errnoNumbers(): Record<string, number>;
  keepShapes(keep: boolean): void;
}

export const host = (globalThis as unknown as { tsrunHost: Host }).tsrunHost;
