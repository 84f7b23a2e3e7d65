/**
 * Secrets that were written for servers: each gets its server as owner, and one whose server never appeared (the writer died between its
 * two writes) or went without it is deleted. Only Secrets labelled `basalt.dev/server` are looked at; a person's own are left alone.
 */
import {SERVER} from '../../../crds/index.ts';
import {uuidOf} from '../../../crds/rules/ids.ts';
import {isNotFound} from '../../../kube/errors.ts';
import {isDeleting, keyOf, refOf, refOfObject} from '../../../kube/objects.ts';
import {SECRET} from '../../../kube/types.ts';
import {freshly} from '../../children/ensure.ts';
import {DONE, watchOf} from '../../runtime/types.ts';
import type {ControllerDefinition, Deps} from '../../runtime/types.ts';
import {adopt} from '../server/phases/boot-data.ts';
import {secretFate, serverKeyOf} from './plan.ts';

/** Makes the controller of Secrets. */
export function createSecretController({client, clock, log, informers}: Deps): ControllerDefinition {
  const {secrets, servers} = informers;
  return {
    name: 'secret',
    primary: secrets as unknown as ControllerDefinition['primary'],
    workers: 4,
    watches: [
      watchOf(servers, ({kind, object}) => {
        const key = keyOf(refOfObject(object));
        if (kind === 'deleted') return secrets.byIndex('server', key).map((secret) => keyOf(refOfObject(secret)));
        const name = object.spec.console?.vnc?.passwordSecret?.name;
        return name === undefined ? [] : [keyOf({namespace: object.metadata.namespace ?? '', name})];
      }),
    ],
    async reconcile(key, {signal}) {
      const secret = secrets.get(key);
      const serverKey = secret === undefined ? undefined : serverKeyOf(secret);
      if (secret === undefined || serverKey === undefined || isDeleting(secret)) return DONE;
      const server = servers.get(serverKey);
      const fate = secretFate(secret, server, clock.now());
      if (fate.kind === 'wait') return {kind: 'requeue', afterMs: fate.afterMs, why: 'its server may still appear'};
      if (fate.kind === 'adopt' && server !== undefined) {
        // As the server has it now: the cache holds no bytes, and the patch is made under the resourceVersion.
        await adopt({client}, server, secret, uuidOf(server), signal);
        return DONE;
      }
      // A Secret is lost for good, so the cache alone does not condemn it.
      if (fate.kind !== 'delete' || (await freshly(client, SERVER, refOf(serverKey), signal)) !== undefined) return DONE;
      const {uid = '', resourceVersion = ''} = secret.metadata;
      try {
        await client.delete(SECRET, refOfObject(secret), {signal, preconditions: {uid, resourceVersion}});
        log.info({secret: key, server: serverKey}, 'deleted a Secret whose server is not there');
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
      return DONE;
    },
  };
}
