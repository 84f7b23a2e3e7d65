/** The environment of the hypervisor, read once. */
import {totalmem} from 'node:os';
import type {LogLevel} from '../../../kube/log.ts';
import type {NetworkPlan} from '../network/plan.ts';
import type {GuestMode} from './guest.ts';

/** Everything that can be set. */
export interface Config {
  /** Kubeconfig of ServiceAccount kubevirt/kubevirt-controller (KUBECONFIG); not used in light mode. */
  readonly kubeconfig: string;
  /** Kubeconfig of an administrator, for pods and, in light mode, everything (HYPERVISOR_ADMIN_KUBECONFIG). */
  readonly adminKubeconfig: string;
  /** Where virt-api finds the REST side (HYPERVISOR_LISTEN, `address:port`); absent in light mode, which has no virt-api. */
  readonly rest:
    {readonly host: string; readonly port: number; readonly cert: string; readonly key: string; readonly ca: string} | undefined;
  /** Plays the VM, VMI and DataVolume controllers too (HYPERVISOR_LIGHT). */
  readonly light: boolean;
  /** Guests of VMs that do not say otherwise (GUESTS). Default simulated. */
  readonly guests: GuestMode;
  /** The folder of real guests' runs (HYPERVISOR_GUESTS_DIR) and of images for container disks (HYPERVISOR_IMAGES_DIR); absent: none can run. */
  readonly qemu: {readonly root: string; readonly images: string} | undefined;
  /**
   * The cluster, as far as its guests' networks must know: its folder (HYPERVISOR_CLUSTER_DIR) and its number on this machine (HYPERVISOR_SLOT),
   * which decide who has a range of addresses and which ports guests use, and whether it adds routes (HYPERVISOR_NETWORK).
   */
  readonly cluster: {readonly dir: string; readonly slot: number; readonly network: NetworkPlan['mode']};
  /** Bounds of real guests (HYPERVISOR_MAX_GUESTS, HYPERVISOR_MAX_MEMORY_MIB). Default 20 and three quarters of this machine's memory. */
  readonly limits: {readonly guests: number; readonly memoryMiB: number};
  /** VMIs worked on at once (HYPERVISOR_WORKERS). Default 32. */
  readonly workers: number;
  /** Where /livez, /readyz and /metrics answer in plain http (HYPERVISOR_METRICS_LISTEN, `address:port`); absent: nowhere. */
  readonly health: {readonly host: string; readonly port: number} | undefined;
  /** Log level (BASALT_LOG_LEVEL). Default info. */
  readonly logLevel: LogLevel;
}

/**
 * Reads the configuration.
 * @throws Error with one line for each setting that is missing or wrong.
 */
export function readConfig(
  env: Readonly<Record<string, string | undefined>>,
  machineMemoryMiB = Math.floor((totalmem() / 2 ** 20) * 0.75),
): Config {
  const problems: string[] = [];
  const required = (name: string): string => {
    const value = env[name];
    if (value === undefined || value === '') problems.push(`${name} is not set`);
    return value ?? '';
  };
  const oneOf = <T extends string>(name: string, allowed: readonly T[], otherwise: T): T => {
    const value = env[name] ?? otherwise;
    const found = allowed.find((choice) => choice === value);
    if (found === undefined) problems.push(`${name}=${value}: must be one of ${allowed.join(', ')}`);
    return found ?? otherwise;
  };
  const light = oneOf('HYPERVISOR_LIGHT', ['true', 'false'], 'false') === 'true';
  const config: Config = {
    kubeconfig: light ? (env['KUBECONFIG'] ?? '') : required('KUBECONFIG'),
    adminKubeconfig: required('HYPERVISOR_ADMIN_KUBECONFIG'),
    light,
    rest: light && env['HYPERVISOR_LISTEN'] === undefined ? undefined : restOf(required, problems),
    guests: oneOf('GUESTS', ['simulated', 'qemu'], 'simulated'),
    qemu:
      env['HYPERVISOR_GUESTS_DIR'] === undefined
        ? undefined
        : {root: env['HYPERVISOR_GUESTS_DIR'], images: required('HYPERVISOR_IMAGES_DIR')},
    cluster: {
      dir: env['HYPERVISOR_CLUSTER_DIR'] ?? '',
      slot: Number(env['HYPERVISOR_SLOT'] ?? 0),
      network: oneOf('HYPERVISOR_NETWORK', ['local-route', 'own-address'], 'own-address'),
    },
    limits: {
      guests: positiveInteger('HYPERVISOR_MAX_GUESTS', env['HYPERVISOR_MAX_GUESTS'] ?? '20', problems),
      memoryMiB: positiveInteger('HYPERVISOR_MAX_MEMORY_MIB', env['HYPERVISOR_MAX_MEMORY_MIB'] ?? String(machineMemoryMiB), problems),
    },
    workers: positiveInteger('HYPERVISOR_WORKERS', env['HYPERVISOR_WORKERS'] ?? '32', problems),
    health:
      env['HYPERVISOR_METRICS_LISTEN'] === undefined
        ? undefined
        : address('HYPERVISOR_METRICS_LISTEN', env['HYPERVISOR_METRICS_LISTEN'], problems),
    logLevel: oneOf('BASALT_LOG_LEVEL', ['debug', 'info', 'warn', 'error', 'silent'], 'info'),
  };
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return config;
}

function restOf(required: (name: string) => string, problems: string[]): NonNullable<Config['rest']> {
  return {
    ...address('HYPERVISOR_LISTEN', required('HYPERVISOR_LISTEN'), problems),
    cert: required('HYPERVISOR_TLS_CERT'),
    key: required('HYPERVISOR_TLS_KEY'),
    ca: required('HYPERVISOR_TLS_CA'),
  };
}

function address(name: string, value: string, problems: string[]): {readonly host: string; readonly port: number} {
  const match = /^(.+):(\d+)$/.exec(value);
  if (match === null && value !== '') problems.push(`${name}=${value}: must be address:port`);
  return {host: match?.[1] ?? '', port: Number(match?.[2] ?? 0)};
}

function positiveInteger(name: string, text: string, problems: string[]): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) problems.push(`${name}=${text}: must be a positive integer`);
  return Number(text);
}
