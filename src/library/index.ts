/**
 * The library: containers for a Node program. Blocking work runs on threads beside the event loop; every failure is a
 * TsrunError.
 *
 * @module tsrun
 */
import './dispose.ts';

export { type ErrorFinding, type ErrorKind, type ErrorPlace, TsrunError } from '../errors.ts';
export type { Features, LinuxResources, Process, Spec } from '../generated/spec.ts';
export { type Container, create, type DeleteOptions, type KillOptions, list, open } from './container.ts';
export type { ContainerEvent, EventsOptions } from './events.ts';
export type { ExecOptions, ExecProcess } from './exec.ts';
export { type LogLevel, onLog } from './log.ts';
export type { Abortable, CreateOptions, RootOption, SubjectOptions } from './options.ts';
export { ContainerProcess, type Exit, type ProcessExit } from './process.ts';
export { check, features, plan, type SpecOptions, spec } from './questions.ts';
export { type MountOption, type RunOptions, type RunResult, run, type SpawnOptions, spawn } from './spawn.ts';
export type { Stdio, StdioOptions } from './stdio.ts';
