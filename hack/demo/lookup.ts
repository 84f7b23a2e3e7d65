/** The demo's servers: what they are called, and how the two APIs and kubectl show them. */
import {expect, kubectlGet, libcloud, openstackAttempt, until, type DemoContext} from './context.ts';

export const CYCLADES_SERVER = 'demo-cyclades';
/** Made by curl, with a file. */
export const FILE_SERVER = 'demo-cyclades-file';
export const CLOUDSIGMA_SERVER = 'demo-cloudsigma';

/** A Server, as far as the demo looks at it. */
export interface ServerItem {
  readonly metadata: {readonly name: string; readonly namespace: string; readonly annotations?: Readonly<Record<string, string>>};
  readonly spec: {readonly name: string};
  readonly status?: {readonly phase?: string; readonly host?: string; readonly ip?: string};
}

/** The demo's servers that are there. */
export async function demoServers(context: DemoContext): Promise<readonly ServerItem[]> {
  const {items} = await kubectlGet<{items: readonly ServerItem[]}>(context, ['servers.basalt.dev', '-A']);
  return items.filter(({spec}) => spec.name.startsWith('demo-c'));
}

/** One of them; throws a Surprise when it is not there. */
export async function serverNamed(context: DemoContext, name: string): Promise<ServerItem> {
  const found = (await demoServers(context)).find(({spec}) => spec.name === name);
  expect(found !== undefined, `kubectl shows no server named ${name}`);
  return found;
}

/** Waits until `openstack server show` says `status`. */
export async function openstackStatus(context: DemoContext, status: string): Promise<void> {
  let last = '';
  await until(
    context,
    `openstack shows ${CYCLADES_SERVER} ${status}`,
    60_000,
    async () => {
      const {stdout, stderr, exitCode} = await openstackAttempt(context, ['server', 'show', CYCLADES_SERVER, '-f', 'json']);
      expect(exitCode === 0, `openstack server show failed: ${stderr}`);
      last = (JSON.parse(stdout) as {status: string}).status;
      return last === status ? true : undefined;
    },
    () => `the last status was ${last}`,
  );
}

/** Waits until libcloud shows `state` of the other server: a guest takes its time to obey. */
export async function libcloudState(context: DemoContext, state: string): Promise<void> {
  let last = '';
  await until(
    context,
    `libcloud shows ${CLOUDSIGMA_SERVER} ${state}`,
    60_000,
    async () => {
      const nodes = await libcloud<readonly {name: string; state: string}[]>(context, ['nodes']);
      last = nodes.find(({name}) => name === CLOUDSIGMA_SERVER)?.state ?? 'absent';
      return last === state ? true : undefined;
    },
    () => `the last state was ${last}`,
  );
}
