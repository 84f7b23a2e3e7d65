/** The `env` file and `clouds.yaml`: how to reach everything, for shells and for the openstack command. Pure. */
import {stringify} from 'yaml';
import type {GuestsMode} from '../guests.ts';
import {POD_RANGE} from '../network/plan.ts';
import {REGION_NAME} from '../processes/programs.ts';
import type {Ports} from '../ports.ts';
import type {AccountSecrets, Credentials} from './credentials.ts';

/** Craton's project of an account; as in cloud/accounts.yaml. */
export const PROJECT_IDS = {demo: '1', other: '2'} as const;

/** What the file is made from. */
export interface EnvFacts {
  readonly dir: string;
  readonly kubeconfig: string;
  readonly bin: string;
  readonly guests: GuestsMode;
  readonly ports: Ports;
  /** Absent: a cluster without our programs. */
  readonly credentials?: Credentials;
}

/** Name -> value, in the order of the file. */
export function envVariables(facts: EnvFacts): Record<string, string> {
  const base = {
    KUBECONFIG: facts.kubeconfig,
    KUBECTL: `${facts.bin}/kubectl`,
    HELM: `${facts.bin}/helm`,
    BASALT_CLUSTER_DIR: facts.dir,
    BASALT_POD_RANGE: POD_RANGE,
    BASALT_GUESTS: facts.guests,
  };
  if (facts.credentials === undefined) return base;
  const {ports} = facts;
  const url = `http://127.0.0.1:${ports.api}`;
  return {
    ...base,
    BASALT_URL: url,
    BASALT_IMAGE_URL: imageUrl(ports),
    BASALT_OPERATOR_METRICS_URL: `http://127.0.0.1:${ports.operator}/metrics`,
    BASALT_API_METRICS_URL: `http://127.0.0.1:${ports.apiMetrics}/metrics`,
    BASALT_HYPERVISOR_METRICS_URL: `http://127.0.0.1:${ports.hypervisorMetrics}/metrics`,
    CRATON_URL: `${url}/v1`,
    NODEPOOL_URL: `${url}/v1`,
    CS_BASE: `http://127.0.0.1:${ports.cloudsigma}`,
    OS_AUTH_URL: `${url}/identity/v2.0`,
    OS_REGION_NAME: REGION_NAME,
    COMPUTE_URL: `${url}/compute/v2.0`,
    ...accountVariables('', 'demo', facts.credentials.demo),
    ...accountVariables('OTHER_', 'other', facts.credentials.other),
  };
}

/** Where the image server has an image; without a name, the one that every cluster has. */
export function imageUrl(ports: Ports, name = 'tiny'): string {
  return `http://127.0.0.1:${ports.images}/${name}.raw`;
}

function accountVariables(prefix: string, name: keyof typeof PROJECT_IDS, secrets: AccountSecrets): Record<string, string> {
  const values = {
    CRATON_USER: name,
    CRATON_PROJECT: PROJECT_IDS[name],
    CRATON_API_KEY: secrets.apiKey,
    NODEPOOL_USER: name,
    NODEPOOL_PASSWORD: secrets.password,
    CS_USER: name,
    CS_PASSWORD: secrets.password,
    OS_USERNAME: name,
    OS_PASSWORD: secrets.password,
    OS_PROJECT_NAME: name,
    TOKEN: secrets.token,
  };
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [prefix + key, value]));
}

/** Shell lines; `. env` exports nothing by itself, `set -a` before it does. */
export function renderEnv(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => `${name}=${quote(value)}\n`)
    .join('');
}

// Only what a shell would read otherwise is quoted, so that other programs can read the file line by line.
function quote(value: string): string {
  return /^[\w./:@%+=,-]+$/.test(value) ? value : `'${value.replaceAll("'", String.raw`'\''`)}'`;
}

/** The variables that anyone may see: those whose value is none of the secrets. */
export function withoutSecrets(variables: Readonly<Record<string, string>>, credentials: Credentials): Record<string, string> {
  const secrets = new Set(Object.values(credentials).flatMap(({password, apiKey, token}) => [password, apiKey, token]));
  return Object.fromEntries(Object.entries(variables).filter(([, value]) => !secrets.has(value)));
}

/** `clouds.yaml` with the clouds `basalt` and `basalt-other`. */
export function renderClouds(ports: Ports, credentials: Credentials): string {
  const cloud = (name: string, secrets: AccountSecrets): object => ({
    auth_type: 'v2password',
    auth: {auth_url: `http://127.0.0.1:${ports.api}/identity/v2.0`, username: name, password: secrets.password, tenant_name: name},
    region_name: REGION_NAME,
    // The openstack command refuses to run with 2 here, although it then speaks v2.0, as the auth_type says.
    identity_api_version: '3',
    compute_api_version: '2',
  });
  return stringify({clouds: {basalt: cloud('demo', credentials.demo), 'basalt-other': cloud('other', credentials.other)}});
}
