/** Step 1: a region, two cells and four hosts are registered over the Craton Inventory API, with curl. */
import {curl, expect, kubectlGet, need, until, type DemoContext, type DemoStep} from './context.ts';

const REGION = 'demo-region';
const CELLS = ['demo-cell-a', 'demo-cell-b'];

interface NodeItem {
  readonly metadata: {readonly name: string};
  readonly status: {readonly addresses?: readonly {readonly type: string; readonly address: string}[]};
}
interface HostItem {
  readonly spec: {readonly hostname: string; readonly region: string};
  readonly status?: {
    readonly nodeName?: string;
    readonly conditions?: readonly {readonly type: string; readonly status: string; readonly message?: string}[];
  };
}

async function post(context: DemoContext, path: string, body: object): Promise<Record<string, unknown>> {
  const answer = await curl(context, 'POST', `${need(context, 'CRATON_URL')}/${path}`, {api_key: need(context, 'CRATON_API_KEY')}, body);
  expect(answer.status === 200, `POST /${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body as Record<string, unknown>;
}

/** The machines of the local cluster that nobody has registered yet. */
async function unregisteredNodes(context: DemoContext): Promise<readonly NodeItem[]> {
  const nodes = await kubectlGet<{items: readonly NodeItem[]}>(context, ['nodes']);
  const hosts = await kubectlGet<{items: readonly HostItem[]}>(context, ['hosts.basalt.dev']);
  const taken = new Set(hosts.items.flatMap((host) => [host.spec.hostname, host.status?.nodeName ?? '']));
  return nodes.items.filter((node) => !taken.has(node.metadata.name));
}

export const registerInventory: DemoStep = {
  title: 'Registering bare metal over the Craton Inventory API: a region, two cells, four hosts',
  async run(context) {
    const machines = (await unregisteredNodes(context)).slice(0, 4);
    expect(machines.length === 4, `the demo needs four machines that are not registered yet, found ${machines.length}`);
    await post(context, 'regions', {name: REGION, status: 'active'});
    for (const name of CELLS) await post(context, 'cells', {name, region: REGION, status: 'active', data: {rack: name.slice(-1)}});
    for (const [index, machine] of machines.entries()) {
      const address = machine.status.addresses?.find(({type}) => type === 'InternalIP')?.address;
      await post(context, 'hosts', {
        hostname: machine.metadata.name,
        region: REGION,
        cell: CELLS[index % 2],
        ip_address: address ?? `192.0.2.${index + 1}`,
        status: 'active',
        service: ['compute'],
        device_type: 'server',
      });
    }
    const api = {api_key: need(context, 'CRATON_API_KEY')};
    const listed = await curl(context, 'GET', `${need(context, 'CRATON_URL')}/hosts?region=${REGION}`, api);
    expect(Array.isArray(listed.body) && listed.body.length === 4, `GET /hosts?region=${REGION} did not list the four hosts`);
    let waiting = '';
    await until(
      context,
      'every registered host is bound to its node',
      30_000,
      async () => {
        const hosts = await kubectlGet<{items: readonly HostItem[]}>(context, ['hosts.basalt.dev']);
        const ours = hosts.items.filter((host) => machines.some((machine) => machine.metadata.name === host.spec.hostname));
        const unready = ours.filter((host) => !host.status?.conditions?.some(({type, status}) => type === 'Ready' && status === 'True'));
        waiting = unready
          .map((host) => `${host.spec.hostname}: ${host.status?.conditions?.map((c) => `${c.type}=${c.status}`).join(' ') ?? 'no status'}`)
          .join('; ');
        return ours.length === 4 && unready.length === 0 ? true : undefined;
      },
      () => waiting,
    );
  },
};
