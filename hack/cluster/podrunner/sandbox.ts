/**
 * The command line of bubblewrap: a root of its own from this machine's /usr, with the pod's volumes at the pod's paths. Processes, IPC and
 * the host name are the container's own; the network is this machine's. Pure.
 */

/** Everything that a sandbox is made from. */
export interface SandboxPlan {
  readonly hostname: string;
  readonly workingDir: string;
  readonly environment: ReadonlyMap<string, string>;
  readonly mounts: readonly {readonly from: string; readonly to: string; readonly readOnly: boolean}[];
  /** Files that take the place of the machine's own. */
  readonly hostsFile: string;
  readonly resolvFile: string;
  readonly terminationFile: string;
  readonly terminationPath: string;
}

/** Folders of the root that are links into /usr where that is merged, folders elsewhere: the machine decides. */
export interface RootLayout {
  /** `/lib` -> `usr/lib`; undefined: a folder. Absent key: not there. */
  readonly links: Readonly<Record<string, string | undefined>>;
}

/** What bubblewrap is told: options, of which some have secrets, and the command. */
export interface Sandbox {
  readonly options: readonly string[];
  readonly command: readonly string[];
}

/** The options of bubblewrap, without its own file descriptors. */
export function sandboxOptions(plan: SandboxPlan, root: RootLayout): string[] {
  const args = ['--die-with-parent', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--hostname', plan.hostname, '--as-pid-1'];
  args.push('--ro-bind', '/usr', '/usr');
  for (const [path, target] of Object.entries(root.links)) {
    if (target === undefined) args.push('--ro-bind', path, path);
    else args.push('--symlink', target, path);
  }
  args.push('--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp', '--dir', '/run', '--dir', '/var');
  args.push('--ro-bind-try', '/etc/ssl', '/etc/ssl', '--ro-bind-try', '/etc/passwd', '/etc/passwd');
  args.push('--ro-bind', plan.hostsFile, '/etc/hosts', '--ro-bind', plan.resolvFile, '/etc/resolv.conf');
  // Outer paths first, or they would hide what is mounted below them.
  for (const {from, to, readOnly} of plan.mounts.toSorted((a, b) => a.to.length - b.to.length)) {
    args.push(readOnly ? '--ro-bind' : '--bind', from, to);
  }
  args.push('--bind', plan.terminationFile, plan.terminationPath);
  args.push('--clearenv');
  for (const [name, value] of plan.environment) args.push('--setenv', name, value);
  args.push('--chdir', plan.workingDir);
  return args;
}
