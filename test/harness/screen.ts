/** A terminal as people use it: tmux's, whose screen the tests read. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Test } from 'tap';
import { isAlive } from './leaks.ts';
import { waitFor } from './process.ts';
import type { Sandbox } from './sandbox.ts';

let screens = 0;

/** A shell on the host in a terminal of 80x24. */
export class Screen {
  readonly #test: Test;
  readonly #socket: string;

  /** @param shell the program and its arguments, as tmux takes them */
  constructor(t: Test, box: Sandbox, shell = 'sh') {
    this.#test = t;
    this.#socket = join(box.directory, `tmux-${++screens}.sock`);
    this.#tmux('-f', '/dev/null', 'new-session', '-d', '-x', '80', '-y', '24', shell);
    const server = Number(this.#tmux('display-message', '-p', '#{pid}'));
    t.teardown(async () => {
      this.#tmux('kill-server');
      // tmux answers before its server ends.
      await waitFor('tmux to end', () => (isAlive(server) ? undefined : true));
    });
  }

  /** Types a line and Enter. */
  type(line: string): void {
    this.write(line);
    this.press('Enter');
  }

  /** Types without Enter. */
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

  /** Closes the terminal of what runs on it. */
  hangUp(): void {
    // A second window keeps the server, which ends with its last window.
    this.#tmux('new-window', '-d', 'sleep 1000000');
    this.#tmux('kill-window', '-t', ':0');
  }

  /**
   * Waits until a line of the screen matches, or the part of it after a prompt: if something is typed before the prompt
   * appears, the answer is on the prompt's line.
   */
  shows(pattern: RegExp): Promise<string> {
    const matching = (line: string) => [line, line.replace(/^\w+> /, '')].find((text) => pattern.test(text));
    return this.#waitForLine(pattern, (lines) => lines.map(matching).find((text) => text !== undefined));
  }

  /**
   * Waits until the last line is this prompt. Before that the effect of a key is uncertain: the terminal may still be
   * in the mode of the shell's last command.
   */
  prompts(pattern: RegExp): Promise<string> {
    return this.#waitForLine(pattern, (lines) => {
      const last = lines.findLast((line) => line !== '') ?? '';
      return pattern.test(last) ? last : undefined;
    });
  }

  /** Waits until no line on the screen matches; lines that were scrolled or wiped off do not count. */
  async lacks(pattern: RegExp): Promise<void> {
    const visible = () => this.#tmux('capture-pane', '-p').split('\n');
    await waitFor(`no ${pattern} on the screen`, () =>
      visible().some((line) => pattern.test(line)) ? undefined : true,
    );
  }

  /** How many lines match, including those that have left the screen. */
  count(pattern: RegExp): number {
    return this.#lines().filter((line) => pattern.test(line)).length;
  }

  async #waitForLine(pattern: RegExp, find: (lines: string[]) => string | undefined): Promise<string> {
    const line = await waitFor(`${pattern} on the screen`, () => find(this.#lines())).catch((error) => {
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
