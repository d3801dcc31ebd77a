/** A Slurm cluster of two nodes in one engine tree, whose oci.conf has the runtime under test. */
import type { Test } from 'tap';
import { type Result, runtimeName, waitFor } from '../harness/index.ts';
import { engineRuntime } from './engine-place.ts';
import { EngineTree } from './engine-tree.ts';
import { rootfsArchive } from './image.ts';

/** The address of both nodes and the controller, which have different ports. */
const address = '10.7.0.1';
const nodes = { n1: 7001, n2: 7002 };
const uid = 1000;

/** The bundle of the jobs' user, on both nodes. */
export const bundle = '/home/user/bundle';
/** The runtime's --root of this user. */
const root = `/run/user/${uid}`;

const slurmConf = `
ClusterName=test
SlurmctldHost=engine(${address})
SlurmUser=slurm
StateSaveLocation=/var/spool/slurm
SlurmdSpoolDir=/var/spool/slurmd.%n
SlurmdPidFile=/run/slurmd.%n.pid
SlurmctldPidFile=/run/slurm/ctld.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_min_interval=10000
# Seconds for a program that is told to end.
KillWait=10
# On a slow machine the defaults, 2 to 60 s, pass before what they wait for has had its turn.
MessageTimeout=100
TCPTimeout=60
BatchStartTimeout=600
UnkillableStepTimeout=600
# More jobs at once than the machine has processors.
SlurmdParameters=config_overrides
${Object.entries(nodes)
  .map(([name, port]) => `NodeName=${name} NodeAddr=${address} Port=${port} CPUs=32`)
  .join('\n')}
PartitionName=main Nodes=ALL Default=YES
`;

const id = '%n.%u.%j.%s.%t';
const command = `${engineRuntime} --root=/run/user/%U`;

/** Published configurations have flags before or after the id. */
const runArguments = { 'flags first': `--bundle %b ${id}`, 'id first': `${id} -b %b` };
export type Order = keyof typeof runArguments;

/**
 * With RunTimeCreate and RunTimeStart instead, Slurm 26.05 waits for ever, with runc and crun too. `exec` replaces the
 * shell with which Slurm starts the command: that would end at SIGTERM, and Slurm would forget the runtime.
 */
const ociConf = (order: Order) => `
EnvExclude="^(SLURM_CONF|SLURM_CONF_SERVER)="
RunTimeEnvExclude="^(SLURM_CONF|SLURM_CONF_SERVER)="
RunTimeQuery="${command} state ${id}"
RunTimeKill="${command} kill --all ${id}"
RunTimeDelete="${command} delete --force ${id}"
RunTimeRun="exec ${command} run ${runArguments[order]}"
`;

export class Slurm {
  readonly place: EngineTree;

  private constructor(place: EngineTree) {
    this.place = place;
  }

  /** Starts all daemons, and makes the bundle. */
  static async start(t: Test, order: Order): Promise<Slurm> {
    const place = await EngineTree.enter(t, { suite: 'forky' });
    const slurm = new Slurm(place);
    place.writeFile('/etc/slurm/slurm.conf', slurmConf);
    place.writeFile('/etc/slurm/cgroup.conf', 'CgroupPlugin=disabled\n');
    place.writeFile('/etc/slurm/oci.conf', ociConf(order));
    await slurm.#makeMachine();
    await slurm.#makeBundle();
    place.startDaemon(['runuser', '-u', 'munge', '--', 'munged', '--foreground']);
    await waitFor('munged', async () => (await place.run(['munge', '--no-input'])).code === 0 || undefined);
    place.startDaemon(['slurmctld', '-D']);
    for (const node of Object.keys(nodes)) place.startDaemon(['slurmd', '-D', '-N', node]);
    await waitFor('the nodes to be idle', async () => {
      const { stdout } = await place.run(['sinfo', '--noheader', '--states', 'idle', '--format', '%D']);
      return stdout.trim() === String(Object.keys(nodes).length) || undefined;
    });
    return slurm;
  }

  async #makeMachine(): Promise<void> {
    const script = `
      set -e
      ip link add node type veth peer name other
      ip addr add ${address}/24 dev node
      ip link set node up && ip link set other up
      install -d -o munge -g munge /run/munge /var/log/munge /var/lib/munge
      install -d -o slurm -g slurm /var/spool/slurm /run/slurm
      install -d -o ${uid} -g ${uid} -m 0700 ${root}`;
    await this.place.outputOf(['sh', '-c', script]);
  }

  async #makeBundle(): Promise<void> {
    const archive = rootfsArchive(this.place.sandbox.directory);
    await this.place.outputOf(['install', '-d', '-o', `${uid}`, '-g', `${uid}`, bundle, `${bundle}/rootfs`]);
    await this.place.outputOf(['tar', '-C', `${bundle}/rootfs`, '--no-same-owner', '-xf', archive]);
    await this.place.outputOf(['chown', '-R', `${uid}:${uid}`, bundle]);
    const config = ['spec', '--rootless', ...(runtimeName === 'crun' ? [] : ['--bundle', bundle])];
    await this.asUser(['env', '-C', bundle, engineRuntime, ...config]);
  }

  /** Runs a command as the ordinary user that jobs belong to. */
  asUser(args: string[], options: { input?: string; seconds?: number } = {}): Promise<Result> {
    return this.place.run(['runuser', '-u', 'user', '--', 'env', '-C', '/home/user', ...args], options);
  }

  /** Runs a step, in a job of its own, in the container. */
  srun(flags: string[], ...args: string[]): Promise<Result> {
    return this.asUser(['srun', `--container=${bundle}`, ...flags, ...args]);
  }

  /** Submits a script that runs in the container; returns the job's id. */
  async sbatch(flags: string[], script: string): Promise<string> {
    const { stdout, stderr } = await this.#sbatch(flags, script);
    if (!/^\d+\n$/.test(stdout)) throw new Error(`sbatch: ${stderr || stdout}`);
    return stdout.trim();
  }

  /** The same, and waits until it has ended; also returns the highest exit code of its tasks. */
  async sbatchToEnd(flags: string[], script: string): Promise<{ id: string; code: number | null }> {
    const { stdout, code } = await this.#sbatch(['--wait', ...flags], script);
    return { id: stdout.trim(), code };
  }

  #sbatch(flags: string[], script: string): Promise<Result> {
    const fixed = ['--parsable', `--container=${bundle}`, '--output=/home/user/out.%A.%a'];
    const options = { input: `#!/bin/sh\n${script}\n`, seconds: 800 };
    return this.asUser(['sbatch', ...fixed, ...flags], options);
  }

  /** The output of its tasks without Slurm's own messages, in any order. */
  async outputOfJob(id: string): Promise<string[]> {
    const { stdout } = await this.place.run(['sh', '-c', `cat /home/user/out.${id}.*`]);
    // slurmstepd asks for a container of the whole step, which does not exist, and reports that in the job's output.
    return stdout
      .split('\n')
      .filter((line) => line !== '' && !/slurmstepd|_get_container_state|level=error/.test(line));
  }

  /** JobState of scontrol(1), such as RUNNING. */
  async stateOf(id: string): Promise<string> {
    const job = await this.place.outputOf(['scontrol', 'show', 'job', id]);
    return job.match(/JobState=(?<state>\S+)/)?.groups?.state ?? job;
  }

  waitForState(id: string, state: string): Promise<true> {
    return waitFor(`job ${id} to be ${state}`, async () => (await this.stateOf(id)) === state || undefined);
  }

  /** Waits until no process has this command line. */
  async waitForEnd(commandLine: string): Promise<true> {
    return waitFor(`the end of ${commandLine}`, async () => {
      const { code } = await this.place.run(['pgrep', '-fx', commandLine]);
      return code === 0 ? undefined : true;
    });
  }

  /** Removes what a killed runtime has left of a job. */
  async forget(job: string): Promise<void> {
    const ids = (await this.states()).split('\n').filter((id) => id.includes(`.user.${job}.`));
    for (const id of ids) await this.asUser([engineRuntime, `--root=${root}`, 'delete', '--force', id]);
  }

  /** The names in the runtime's state directory. */
  states(): Promise<string> {
    return this.place.outputOf(['ls', root]);
  }
}
