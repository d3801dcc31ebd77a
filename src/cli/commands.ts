import { check } from './commands/check.ts';
import { checkpoint } from './commands/checkpoint.ts';
import { completion } from './commands/completion.ts';
import { create } from './commands/create.ts';
import { deleteCommand } from './commands/delete.ts';
import { events } from './commands/events.ts';
import { exec } from './commands/exec.ts';
import { explain } from './commands/explain.ts';
import { features } from './commands/features.ts';
import { info } from './commands/info.ts';
import { inspect } from './commands/inspect.ts';
import { kill } from './commands/kill.ts';
import { list } from './commands/list.ts';
import { pause, resume } from './commands/pause.ts';
import { plan } from './commands/plan.ts';
import { ps } from './commands/ps.ts';
import { restore } from './commands/restore.ts';
import { run } from './commands/run.ts';
import { spec } from './commands/spec.ts';
import { start } from './commands/start.ts';
import { state } from './commands/state.ts';
import { stats } from './commands/stats.ts';
import { tree } from './commands/tree.ts';
import { update } from './commands/update.ts';
import { wait } from './commands/wait.ts';
import type { CommandDeclaration } from './declaration.ts';

/** All commands, in the order of --help. */
export const commands: readonly CommandDeclaration[] = [
  run,
  create,
  start,
  state,
  kill,
  deleteCommand,
  exec,
  pause,
  resume,
  ps,
  wait,
  list,
  update,
  events,
  stats,
  inspect,
  tree,
  spec,
  features,
  plan,
  check,
  explain,
  info,
  completion,
  checkpoint,
  restore,
];
