import {expect, test} from '@jest/globals';
import {buildMigration} from './migration.ts';
import {OWNER, UUID} from './testing.ts';

const REQUEST = {
  operation: 'op1',
  namespace: 'acct-demo',
  owner: {...OWNER, kind: 'ServerOperation', name: 'op1'},
  server: 'web',
  serverUuid: UUID,
};

test('a migration is named after its operation, so that a repeat is the same one', () => {
  expect(buildMigration(REQUEST)).toEqual({
    apiVersion: 'kubevirt.io/v1',
    kind: 'VirtualMachineInstanceMigration',
    metadata: {name: 'srvop-op1', namespace: 'acct-demo', labels: {'basalt.dev/server': UUID}, ownerReferences: [REQUEST.owner]},
    spec: {vmiName: 'web'},
  });
});

test('a wanted host becomes a node selector', () => {
  expect(buildMigration({...REQUEST, host: 'bm-002'}).spec).toEqual({
    vmiName: 'web',
    addedNodeSelector: {'topology.basalt.dev/host': 'bm-002'},
  });
});
