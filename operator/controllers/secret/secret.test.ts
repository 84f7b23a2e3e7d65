/** Secrets of servers: adopted while their server lives, gone with it, and never left behind by a create that was cut short. */
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals';
import type {Server} from '../../../crds/index.ts';
import {SERVER} from '../../../crds/index.ts';
import {SECRET} from '../../../kube/types.ts';
import type {Secret} from '../../../kube/types.ts';
import {NS, Scenario} from '../server/testing/scenario.ts';
import {ORPHANED_SECRET_GRACE_MS, secretFate} from './plan.ts';

describe('fate', () => {
  const BORN = '2026-01-01T00:00:00Z';
  const secret = (metadata: object = {}): Secret =>
    ({
      metadata: {name: 'web-vnc', namespace: NS, creationTimestamp: BORN, labels: {'basalt.dev/server': 'web'}, ...metadata},
    }) as unknown as Secret;
  const server = (spec: object, metadata: object = {}): Server => ({metadata: {name: 'web', ...metadata}, spec}) as unknown as Server;
  const withConsole = {console: {vnc: {passwordSecret: {name: 'web-vnc'}}}};

  test.each<[string, Secret, Server | undefined, number, object]>([
    ['its server has it for the console', secret(), server(withConsole), 0, {kind: 'adopt'}],
    ['its server is going: the deletion takes it', secret(), server(withConsole, {deletionTimestamp: BORN}), 0, {kind: 'keep'}],
    ['its server has it for the first boot, and adopts it then', secret(), server({bootSecret: {name: 'web-vnc'}}), 0, {kind: 'keep'}],
    ['it goes with an owner', secret({ownerReferences: [{kind: 'Server', name: 'web', uid: 'u'}]}), undefined, 1e9, {kind: 'keep'}],
    ['it was not written for a server', secret({labels: {}}), undefined, 1e9, {kind: 'keep'}],
    ['its server may still come', secret(), undefined, 20_000, {kind: 'wait', afterMs: 40_000}],
    ['its server never came', secret(), undefined, ORPHANED_SECRET_GRACE_MS, {kind: 'delete'}],
  ])('%s', (_name, given, holder, ageMs, expected) => {
    expect(secretFate(given, holder, Date.parse(BORN) + ageMs)).toEqual(expected);
  });
});

describe('in the operator', () => {
  let world: Scenario;
  beforeEach(async () => {
    world = await Scenario.start();
  });
  afterEach(() => world.stop());

  const put = (name: string, labels: Readonly<Record<string, string>> = {}): void => {
    // Written past the fake server's own clock: the operator's is another one.
    const creationTimestamp = new Date(world.clock.now()).toISOString();
    world.operator.server.put(SECRET, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {name, namespace: NS, labels, creationTimestamp},
      data: {password: Buffer.from('hush').toString('base64')},
    });
  };
  const secrets = (): readonly string[] => world.operator.server.objects(SECRET, NS).map(({metadata}) => metadata.name);

  test('the password of a console is owned by its server, and a deletion with kubectl leaves nothing', async () => {
    put('web-vnc', {'basalt.dev/server': 'web'});
    put('web-boot', {'basalt.dev/server': 'web'});
    put('mine');
    const made = await world.createServer('web', {
      console: {vnc: {passwordSecret: {name: 'web-vnc'}, tls: 'Disabled'}},
      // Never adopted, because the machine waits for its key: it must go all the same.
      bootSecret: {name: 'web-boot'},
      keyPairs: ['absent'],
    });
    const owned = await world.operator.eventually(SECRET, 'web-vnc', ({metadata}) => (metadata.ownerReferences ?? []).length > 0, NS);
    expect(owned.metadata.ownerReferences).toMatchObject([{kind: 'Server', name: 'web', uid: made.metadata.uid}]);
    await world.server('web', ({status}) => status?.phase !== undefined);
    expect(Buffer.from(owned.data?.['password'] ?? '', 'base64').toString()).toBe('hush');
    await world.operator.deps.client.delete(SERVER, {namespace: NS, name: 'web'});
    await world.operator.gone(SERVER, 'web', NS);
    expect(secrets()).toEqual(['mine']);
  });

  test('a password that a person wrote for several servers is not taken', async () => {
    put('shared');
    await world.createServer('web', {console: {vnc: {passwordSecret: {name: 'shared'}, tls: 'Disabled'}}});
    await world.serverIs('web', 'ACTIVE');
    await world.operator.deps.client.delete(SERVER, {namespace: NS, name: 'web'});
    await world.operator.gone(SERVER, 'web', NS);
    expect(secrets()).toEqual(['shared']);
  });

  test('what a create that was cut short has left goes after a minute, and not before', async () => {
    const born = world.clock.now();
    put('ghost-vnc', {'basalt.dev/server': 'ghost'});
    put('mine');
    // The test's clock runs on while it waits, some 20 ms a look.
    world.clock.advance(ORPHANED_SECRET_GRACE_MS - 10_000);
    await world.operator.quiet();
    expect(secrets()).toEqual(['ghost-vnc', 'mine']);
    await world.operator.gone(SECRET, 'ghost-vnc', NS);
    expect(world.clock.now() - born).toBeGreaterThanOrEqual(ORPHANED_SECRET_GRACE_MS - 1_000);
    expect(secrets()).toEqual(['mine']);
  });
});
