/** The library: containers from a program of Node's. */

export { type ErrorFinding, type ErrorKind, TsrunError } from '../errors.ts';
export { type Container, create, type DeleteOptions, type KillOptions, list, open } from './container.ts';
export type { Abortable, CreateOptions, RootOption, SubjectOptions } from './options.ts';
export { onLog } from './pool.ts';
export { ContainerProcess, type Exit, type ProcessExit } from './process.ts';
export { type MountOption, type RunOptions, type RunResult, run, type SpawnOptions, spawn } from './spawn.ts';
export type { Stdio, StdioOptions } from './stdio.ts';
