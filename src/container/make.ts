import { type LoadedBundle, loadBundle } from '../config/load.ts';
import { placing } from '../config/locate.ts';
import { checkConsole } from '../host/descriptor-sockets.ts';
import type { LowerOptions } from '../lower/context.ts';
import { traceStep } from '../run/trace.ts';
import { type Created, type CreateRequest, createContainer } from './create.ts';
import { checkId } from './id.ts';
import { logFindings } from './log-findings.ts';
import { takesNotifySocket } from './notify.ts';
import { demandRootfs, prepareLoaded } from './prepare.ts';

type Given = Pick<CreateRequest, 'root' | 'starts' | 'consoleSocket' | 'pidfdSocket' | 'descriptors' | 'hosted'>;

export interface MakeRequest extends Given {
  readonly lowering: LowerOptions & { readonly preserveFds: number };
  /** The config, or the absolute path of a file to read instead of the bundle's config.json. */
  readonly config: LoadedBundle | string | undefined;
  /** Gives the container a terminal, whatever the config says. */
  readonly tty: boolean;
  /** Whether the caller leaves, and so cannot hold a terminal. */
  readonly detached: boolean;
}

/** Makes a created container from a bundle: what create, run and the library have in common. */
export function makeContainer({ lowering, config, tty, detached, ...given }: MakeRequest): Created {
  const { id, bundle, preserveFds, notifyDirectory } = lowering;
  checkId(id);
  const loaded = typeof config === 'object' ? config : loadBundle(bundle, config, traceStep);
  const { spec, source, plan } = prepareLoaded(loaded, lowering, tty);
  logFindings(plan, () => source);
  placing(source, () => demandRootfs(spec, lowering));
  const check = () => checkConsole(spec.process?.terminal === true, detached, given.consoleSocket);
  // With --tty the config has no say.
  if (tty) check();
  else placing(source, check);
  const notify = notifyDirectory !== undefined && takesNotifySocket(spec);
  return createContainer({ ...given, id, bundle, spec, source, plan, preserveFds, notify });
}
