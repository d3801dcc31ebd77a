/** Passes on what the commands would write to stderr, or to --log. */
import type { LogLevel } from '../log.ts';

export type { LogLevel };

let tell: (level: LogLevel, message: string) => void = warn;

/**
 * Passes each line that a command would log to `receive`. Without it, warnings and errors go to process.emitWarning.
 */
export function onLog(receive: ((level: LogLevel, message: string) => void) | undefined): void {
  tell = receive ?? warn;
}

export function tellLog(level: LogLevel, message: string): void {
  tell(level, message);
}

function warn(level: LogLevel, message: string): void {
  if (level === 'warning' || level === 'error') process.emitWarning(message, 'TsrunWarning');
}
