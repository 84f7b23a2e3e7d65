/** Steps 3 to 7: two servers, one over Cyclades with the openstack command and one over CloudSigma with libcloud, through their life. */
import {FLAVOR, IMAGE} from './catalogue.ts';
import {expect, kubectl, kubectlGet, libcloud, openstack, openstackAttempt, until, type DemoContext, type DemoStep} from './context.ts';

const CYCLADES_SERVER = 'demo-cyclades';
const CLOUDSIGMA_SERVER = 'demo-cloudsigma';

interface ServerItem {
  readonly metadata: {readonly name: string; readonly namespace: string};
  readonly spec: {readonly name: string};
  readonly status?: {readonly phase?: string; readonly host?: string; readonly ip?: string};
}
interface Vm {
  readonly status?: {readonly printableStatus?: string};
}
interface Vmi {
  readonly metadata: {readonly uid: string};
}

const demoServers = async (context: DemoContext): Promise<readonly ServerItem[]> =>
  (await kubectlGet<{items: readonly ServerItem[]}>(context, ['servers.basalt.dev', '-A'])).items.filter(({spec}) =>
    spec.name.startsWith('demo-c'),
  );

async function serverNamed(context: DemoContext, name: string): Promise<ServerItem> {
  const found = (await demoServers(context)).find(({spec}) => spec.name === name);
  expect(found !== undefined, `kubectl shows no server named ${name}`);
  return found;
}

/** Waits until `openstack server show` says `status`. */
async function openstackStatus(context: DemoContext, status: string): Promise<void> {
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

async function libcloudState(context: DemoContext, state: string): Promise<void> {
  const nodes = await libcloud<readonly {name: string; state: string}[]>(context, ['nodes']);
  const node = nodes.find(({name}) => name === CLOUDSIGMA_SERVER);
  expect(node?.state === state, `libcloud shows ${CLOUDSIGMA_SERVER} as ${node?.state ?? 'absent'}, not ${state}`);
}

export const createOverCyclades: DemoStep = {
  title: 'Creating a server over Cyclades with the real openstack command',
  async run(context) {
    const args = [
      'server',
      'create',
      '--image',
      IMAGE,
      '--flavor',
      FLAVOR,
      '--property',
      'purpose=demo',
      '--wait',
      CYCLADES_SERVER,
      '-f',
      'json',
    ];
    const server = await openstack<{id: string; status: string}>(context, args);
    expect(/^\d+$/.test(server.id), `the server's id is not a decimal integer: ${server.id}`);
    await openstackStatus(context, 'ACTIVE');
    context.say(await openstack<string>(context, ['server', 'list']));
  },
};

export const createOverCloudSigma: DemoStep = {
  title: "Creating a server over CloudSigma 1.0 with libcloud's own driver: clone a standard drive, create, start",
  async run(context) {
    const node = await libcloud<{id: string; state: string}>(context, ['create', CLOUDSIGMA_SERVER, IMAGE]);
    context.say(`libcloud says: ${node.id} ${node.state}`);
    await libcloudState(context, 'running');
  },
};

export const seeWithKubectl: DemoStep = {
  title: 'Seeing both with kubectl: ACTIVE, each on a host, as VirtualMachines of KubeVirt',
  async run(context) {
    context.say(`$ kubectl get servers,drives,hosts -A\n${await kubectl(context, ['get', 'servers,drives,hosts', '-A'])}`);
    for (const name of [CYCLADES_SERVER, CLOUDSIGMA_SERVER]) {
      const server = await serverNamed(context, name);
      expect(server.status?.phase === 'ACTIVE', `${name} is ${server.status?.phase}, not ACTIVE`);
      expect((server.status?.host ?? '') !== '', `${name} is on no host`);
      const vm = await kubectlGet<Vm>(context, ['virtualmachines.kubevirt.io', server.metadata.name, '-n', server.metadata.namespace]);
      expect(vm.status?.printableStatus === 'Running', `the VirtualMachine of ${name} is ${vm.status?.printableStatus}, not Running`);
    }
  },
};

export const stopAndStart: DemoStep = {
  title: 'Stopping and starting both, each over its own API',
  async run(context) {
    await openstack(context, ['server', 'stop', CYCLADES_SERVER]);
    await openstackStatus(context, 'STOPPED');
    await libcloud(context, ['stop', CLOUDSIGMA_SERVER]);
    await libcloudState(context, 'terminated'); // libcloud's word for CloudSigma's `stopped`
    for (const name of [CYCLADES_SERVER, CLOUDSIGMA_SERVER]) {
      const {metadata} = await serverNamed(context, name);
      const guest = await kubectl(context, [
        'get',
        'virtualmachineinstances.kubevirt.io',
        metadata.name,
        '-n',
        metadata.namespace,
        '--ignore-not-found',
      ]);
      expect(guest === '', `${name} is stopped, but its VirtualMachineInstance is still there: ${guest}`);
    }
    context.say(await kubectl(context, ['get', 'servers', '-A']));
    await openstack(context, ['server', 'start', CYCLADES_SERVER]);
    await openstackStatus(context, 'ACTIVE');
    await libcloud(context, ['start', CLOUDSIGMA_SERVER]);
    await libcloudState(context, 'running');
  },
};

export const reboot: DemoStep = {
  title: 'Rebooting both; the reboot over Cyclades keeps its VirtualMachineInstance and leaves a ServerOperation behind',
  async run(context) {
    const server = await serverNamed(context, CYCLADES_SERVER);
    const vmi = ['virtualmachineinstances.kubevirt.io', server.metadata.name, '-n', server.metadata.namespace];
    const before = await kubectlGet<Vmi>(context, vmi);
    await openstack(context, ['server', 'reboot', '--hard', CYCLADES_SERVER]);
    await until(context, 'the reboot is recorded as Completed', 60_000, async () => {
      const operations = await kubectlGet<{
        items: readonly {spec: {server: string; verb: string}; status?: {phase?: string; message?: string}}[];
      }>(context, ['serveroperations.basalt.dev', '-n', server.metadata.namespace]);
      const ours = operations.items.find(({spec}) => spec.server === server.metadata.name && spec.verb === 'Reboot');
      expect(ours?.status?.phase !== 'Failed', `the reboot failed: ${ours?.status?.message}`);
      return ours?.status?.phase === 'Completed' ? true : undefined;
    });
    await openstackStatus(context, 'ACTIVE');
    const after = await kubectlGet<Vmi>(context, vmi);
    expect(before.metadata.uid === after.metadata.uid, 'the reboot replaced the VirtualMachineInstance');
    await libcloud(context, ['reboot', CLOUDSIGMA_SERVER]);
    await libcloudState(context, 'running');
  },
};

export const deleteServers: DemoStep = {
  title: 'Deleting both servers and the drive that was cloned',
  async run(context) {
    await openstack(context, ['server', 'delete', '--wait', CYCLADES_SERVER]);
    await libcloud(context, ['destroy', CLOUDSIGMA_SERVER]);
    await until(context, 'kubectl shows no server of the demo', 60_000, async () =>
      (await demoServers(context)).length === 0 ? true : undefined,
    );
  },
};
