/** Last step: nothing of the servers is left, and what the demo made besides is removed, so that it can run again. */
import {join} from 'node:path';
import {readRecords} from '../cluster/hypervisor/qemu/state-file.ts';
import {FLAVOR, IMAGE, KEY_PAIR} from './catalogue.ts';
import {expect, kubectl, kubectlGet, need, until, type DemoContext, type DemoStep} from './context.ts';

const ACCOUNTS = ['acct-demo', 'acct-other'];
const KINDS = [
  'servers.basalt.dev',
  'drives.basalt.dev',
  'virtualmachines.kubevirt.io',
  'virtualmachineinstances.kubevirt.io',
  'datavolumes.cdi.kubevirt.io',
  'persistentvolumeclaims',
  'secrets',
  'pods',
];

interface Item {
  readonly kind: string;
  readonly metadata: {readonly name: string; readonly namespace: string; readonly labels?: Readonly<Record<string, string>>};
}
interface NetworkItem {
  readonly status?: {readonly leases?: readonly {readonly server: string; readonly namespace: string}[]};
}

/** What the accounts have, as `kind namespace/name`. Completed operations stay: they are the log of who did what. */
export async function inventory(context: DemoContext): Promise<readonly string[]> {
  const found: string[] = [];
  for (const namespace of ACCOUNTS) {
    const list = await kubectlGet<{items: readonly Item[]}>(context, [KINDS.join(','), '-n', namespace]);
    found.push(...list.items.map((item) => `${item.kind} ${item.metadata.namespace}/${item.metadata.name}`));
  }
  const networks = await kubectlGet<{items: readonly NetworkItem[]}>(context, ['networks.basalt.dev', '-A']);
  for (const lease of networks.items.flatMap((network) => network.status?.leases ?? []))
    if (ACCOUNTS.includes(lease.namespace)) found.push(`address lease of ${lease.namespace}/${lease.server}`);
  const guests = join(need(context, 'BASALT_CLUSTER_DIR'), 'guests');
  for (const {record} of readRecords(guests))
    if (ACCOUNTS.some((account) => record.key.startsWith(`${account}/`))) found.push(`guest ${record.key}`);
  return found;
}

/** Deletes what a demo made apart from servers; absent objects are fine. */
export async function removeLeftovers(context: DemoContext): Promise<void> {
  for (const namespace of ACCOUNTS) {
    const servers = await kubectlGet<{items: readonly (Item & {spec: {name: string}})[]}>(context, [
      'servers.basalt.dev,drives.basalt.dev',
      '-n',
      namespace,
    ]);
    for (const item of servers.items.filter(({spec}) => spec.name.startsWith('demo-c')))
      await kubectl(context, [
        'delete',
        `${item.kind}.basalt.dev`,
        item.metadata.name,
        '-n',
        namespace,
        '--ignore-not-found',
        '--timeout=60s',
      ]);
  }
  const pairs = await kubectlGet<{items: readonly (Item & {spec: {name?: string}})[]}>(context, ['keypairs.basalt.dev', '-n', 'acct-demo']);
  for (const {metadata} of pairs.items.filter(({spec}) => spec.name === KEY_PAIR))
    await kubectl(context, ['delete', 'keypairs.basalt.dev', metadata.name, '-n', metadata.namespace, '--ignore-not-found']);
  await kubectl(context, ['delete', 'flavors.basalt.dev', FLAVOR, '--ignore-not-found', '--timeout=60s']);
  await kubectl(context, ['delete', 'images.basalt.dev', IMAGE, '-n', 'basalt-system', '--ignore-not-found', '--timeout=60s']);
  const registered = await kubectlGet<{items: readonly (Item & {spec: {region?: string; name?: string}})[]}>(context, [
    'hosts.basalt.dev,cells.basalt.dev,regions.basalt.dev',
  ]);
  const region = registered.items.find(({kind, spec}) => kind === 'Region' && spec.name === 'demo-region');
  if (region === undefined) return;
  for (const kind of ['Host', 'Cell'])
    for (const item of registered.items.filter((each) => each.kind === kind && each.spec.region === region.metadata.name))
      await kubectl(context, ['delete', `${kind.toLowerCase()}s.basalt.dev`, item.metadata.name, '--timeout=60s']);
  await kubectl(context, ['delete', 'regions.basalt.dev', region.metadata.name, '--timeout=60s']);
}

export const leaveNoTrace: DemoStep = {
  title: 'Proving that no VirtualMachine, DataVolume, PVC, Secret, claim or guest is left',
  async run(context) {
    let left: readonly string[] = [];
    await until(
      context,
      'nothing of the servers is left',
      60_000,
      async () => {
        left = (await inventory(context)).filter((thing) => !context.before.has(thing));
        return left.length === 0 ? true : undefined;
      },
      () => `Still there: ${left.join(', ')}`,
    );
    const now = new Set(await inventory(context));
    const lost = [...context.before].filter((thing) => !now.has(thing));
    expect(lost.length === 0, `the demo took away what was there before: ${lost.join(', ')}`);
    context.say(`$ kubectl get ${KINDS.join(',')} -n ${ACCOUNTS.join(' -n ')}: nothing`);
    await removeLeftovers(context);
    const nodes = await kubectlGet<{items: readonly Item[]}>(context, ['nodes', '-l', 'topology.basalt.dev/region']);
    const demo = nodes.items.filter(({metadata}) => metadata.labels?.['topology.basalt.dev/region']?.startsWith('demo-region'));
    expect(demo.length === 0, `nodes still carry the labels of the demo's region: ${demo.map(({metadata}) => metadata.name).join(', ')}`);
  },
};
