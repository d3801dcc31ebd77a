/** A terminal for people: tmux's, whose screen is looked at. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Test } from 'tap';
import { waitFor } from './process.ts';
import type { Sandbox } from './sandbox.ts';

let screens = 0;

/** A shell of the host's in a terminal of 80x24. */
export class Screen {
  readonly #test: Test;
  readonly #socket: string;

  /** @param shell the program and its arguments, as tmux takes them */
  constructor(t: Test, box: Sandbox, shell = 'sh') {
    this.#test = t;
    this.#socket = join(box.directory, `tmux-${++screens}.sock`);
    this.#tmux('-f', '/dev/null', 'new-session', '-d', '-x', '80', '-y', '24', shell);
    t.teardown(() => this.#tmux('kill-server'));
  }

  /** Types a line and Enter. */
  type(line: string): void {
    this.write(line);
    this.press('Enter');
  }

  /** Types, and no Enter. */
  write(text: string): void {
    this.#tmux('send-keys', '-l', text);
  }

  /** Presses a key by tmux's name, such as `C-c`. */
  press(key: string): void {
    this.#tmux('send-keys', key);
  }

  resize(columns: number, rows: number): void {
    this.#tmux('resize-window', '-x', String(columns), '-y', String(rows));
  }

  /** Waits until a line of the screen matches. */
  async shows(pattern: RegExp): Promise<string> {
    const line = await waitFor(`${pattern} on the screen`, () =>
      this.#lines().find((line) => pattern.test(line)),
    ).catch((error) => {
      throw new Error(`${error.message}:\n${this.#lines().join('\n').trimEnd()}`);
    });
    this.#test.match(line, pattern);
    return line;
  }

  #lines(): string[] {
    return this.#tmux('capture-pane', '-p', '-S', '-200').split('\n');
  }

  #tmux(...args: string[]): string {
    return execFileSync('tmux', ['-S', this.#socket, ...args], { encoding: 'utf8' });
  }
}
