/** Drives through the whole operator: races, copies, growth, and who holds them. */
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals';
import {DRIVE, SERVER} from '../../../crds/index.ts';
import type {Server} from '../../../crds/index.ts';
import type {KubeObject, ResourceType} from '../../../kube/objects.ts';
import {until} from '../../../kube/testing/until.ts';
import {PERSISTENT_VOLUME_CLAIM} from '../../../kube/types.ts';
import {DATA_VOLUME, VIRTUAL_MACHINE} from '../../kubevirt/types.ts';
import {NS, Scenario, conditionOf} from '../server/testing/scenario.ts';

let world: Scenario;
beforeEach(async () => {
  world = await Scenario.start();
});
afterEach(() => world.stop());

describe('drives', () => {
  const disks: NonNullable<Server['spec']['disks']> = [{slot: 'ide:0:0', drive: 'disk', media: 'Disk'}];

  test('two servers race for an exclusive drive: one has it, the other waits, and gets it when it is free', async () => {
    await world.createDrive('disk');
    await Promise.all([world.createServer('one', {disks}), world.createServer('two', {disks})]);
    const drive = await world.drive('disk', ({status}) => status?.claims?.length === 1);
    const winner = drive.status?.claims?.[0]?.server ?? '';
    const loser = winner === 'one' ? 'two' : 'one';
    await world.serverIs(winner, 'ACTIVE');
    const waiting = await world.server(loser, (seen) => conditionOf(seen, 'DrivesReady')?.reason === 'DriveInUse');
    expect(conditionOf(waiting, 'DrivesReady')?.message).toContain(winner);
    expect(world.operator.server.objects(VIRTUAL_MACHINE, NS).map(({metadata}) => metadata.name)).toEqual([winner]);
    await world.operator.deps.client.delete(SERVER, {namespace: NS, name: winner});
    await world.serverIs(loser, 'ACTIVE');
  });

  test('a drive in use is not deleted before its server has gone', async () => {
    await world.createDrive('disk');
    await world.createServer('web', {disks});
    await world.serverIs('web', 'ACTIVE');
    await world.operator.deps.client.delete(DRIVE, {namespace: NS, name: 'disk'});
    await world.drive(
      'disk',
      ({status}) =>
        status?.conditions?.some(({type, status: is, message}) => type === 'Deleting' && is === 'True' && message.includes('web')) === true,
    );
    await world.operator.deps.client.delete(SERVER, {namespace: NS, name: 'web'});
    await world.operator.gone(DRIVE, 'disk', NS);
    expect(world.operator.server.objects(PERSISTENT_VOLUME_CLAIM, NS)).toEqual([]);
  });

  test('a copy of a drive waits until that is free, and the copies of others need to be readers', async () => {
    await world.createDrive('disk');
    await world.createServer('web', {disks});
    await world.serverIs('web', 'ACTIVE');
    await world.createDrive('copy', {source: {drive: {name: 'disk'}}});
    await world.drive('copy', ({status}) => status?.conditions?.some(({reason}) => reason === 'InUse') === true);
    await world.patch('web', {powerState: 'Stopped'});
    await world.drive('copy', ({status}) => status?.phase === 'Ready');
    expect(world.operator.server.object(DATA_VOLUME, {namespace: NS, name: 'copy'})?.spec.source?.pvc).toEqual({
      namespace: NS,
      name: 'disk',
    });
  });

  test('a drive grows', async () => {
    await world.createDrive('disk');
    await world.drive('disk', ({status}) => status?.phase === 'Ready');
    await world.operator.deps.client.mergePatch(DRIVE, {namespace: NS, name: 'disk'}, {spec: {sizeBytes: 2 * 1024 ** 3}});
    await world.operator.eventually<KubeObject>(
      PERSISTENT_VOLUME_CLAIM as ResourceType<KubeObject>,
      'disk',
      (claim) => JSON.stringify(claim).includes('"storage":"2147483648"'),
      NS,
    );
  });

  test('a drive that is to be encrypted is not made in the clear', async () => {
    await world.createDrive('secret', {encryptionCipher: 'AesXtsPlain'});
    const drive = await world.drive('secret', ({status}) => status?.phase === 'Failed');
    expect(drive.status?.conditions?.find(({type}) => type === 'Ready')).toMatchObject({
      status: 'False',
      reason: 'EncryptionUnavailable',
      message: 'no storage tier of this installation encrypts',
    });
    await world.operator.quiet();
    expect(world.operator.server.objects(PERSISTENT_VOLUME_CLAIM, NS)).toEqual([]);
  });

  test('the claim of a server that is gone is released', async () => {
    await world.createDrive('disk');
    const drive = await world.drive('disk', ({status}) => status?.phase === 'Ready');
    await world.operator.deps.client.replace(
      DRIVE,
      {...drive, status: {...drive.status, claims: [{server: 'nobody', slot: 'ide:0:0', claimedAt: '2000-01-01T00:00:00Z'}]}},
      {subresource: 'status'},
    );
    await world.drive('disk', ({status}) => status?.claims === undefined);
    await until('the event', () => world.operator.events.some(({reason}) => reason === 'ClaimReleased'));
  });
});
