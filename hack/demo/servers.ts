/** Two servers, one over Cyclades with the openstack command and one over CloudSigma with libcloud, through their life. */
import {FLAVOR, IMAGE, KEY_PAIR} from './catalogue.ts';
import {curl, expect, kubectl, kubectlGet, libcloud, need, openstack, until, type DemoContext, type DemoStep} from './context.ts';
import {GREETING, makeKey} from './gifts.ts';
import {CLOUDSIGMA_SERVER, CYCLADES_SERVER, demoServers, FILE_SERVER, libcloudState, openstackStatus, serverNamed} from './lookup.ts';

interface Vm {
  readonly status?: {readonly printableStatus?: string};
}
interface Vmi {
  readonly metadata: {readonly uid: string};
}

export const createOverCyclades: DemoStep = {
  title: 'Creating a server over Cyclades with the real openstack command, with a key pair',
  async run(context) {
    const keys = await makeKey(context);
    await openstack(context, ['keypair', 'create', '--public-key', keys.publicKeyFile, KEY_PAIR]);
    const args = [
      'server',
      'create',
      '--image',
      IMAGE,
      '--flavor',
      FLAVOR,
      '--property',
      'purpose=demo',
      '--key-name',
      KEY_PAIR,
      '--wait',
      CYCLADES_SERVER,
      '-f',
      'json',
    ];
    const server = await openstack<{id: string; status: string; adminPass?: string}>(context, args);
    expect(/^\d+$/.test(server.id), `the server's id is not a decimal integer: ${server.id}`);
    expect(server.adminPass !== undefined && server.adminPass !== '', 'the answer has no adminPass');
    context.memory.adminPass = server.adminPass;
    await openstackStatus(context, 'ACTIVE');
    context.say(await openstack<string>(context, ['server', 'list']));
  },
};

// The openstack command of today cannot send files (its --file fails inside the client), so the documented call is made with curl.
export const createWithFile: DemoStep = {
  title: 'Creating one more over Cyclades with curl, with a file to take along (personality)',
  async run(context) {
    const {flavors} = (await cyclades(context, 'GET', 'flavors')) as {flavors: readonly {id: number; name: string}[]};
    const {images} = (await cyclades(context, 'GET', 'images')) as {images: readonly {id: string; name: string}[]};
    const personality = [{path: '/root/greeting', contents: Buffer.from(GREETING).toString('base64'), owner: 'root', mode: 0o600}];
    const server = {
      name: FILE_SERVER,
      flavorRef: flavors.find(({name}) => name === FLAVOR)?.id,
      imageRef: images.find(({name}) => name === IMAGE)?.id,
      personality,
    };
    const answer = (await cyclades(context, 'POST', 'servers', {server})) as {server: {adminPass: string}};
    context.memory.filePass = answer.server.adminPass;
  },
};

async function cyclades(context: DemoContext, method: string, path: string, body?: object): Promise<unknown> {
  const answer = await curl(context, method, `${need(context, 'COMPUTE_URL')}/${path}`, {'X-Auth-Token': need(context, 'TOKEN')}, body);
  expect(answer.status >= 200 && answer.status < 300, `${method} /${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

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
  title: 'Deleting the servers and the drive that was cloned',
  async run(context) {
    if (context.memory.filePass !== undefined) await openstack(context, ['server', 'delete', FILE_SERVER]);
    await openstack(context, ['server', 'delete', '--wait', CYCLADES_SERVER]);
    await libcloud(context, ['destroy', CLOUDSIGMA_SERVER]);
    await until(context, 'kubectl shows no server of the demo', 60_000, async () =>
      (await demoServers(context)).length === 0 ? true : undefined,
    );
  },
};
