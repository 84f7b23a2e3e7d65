/** Secrets of servers: written, read one at a time, never cached and never listed. */
import type {KubeClient} from '../../kube/client.ts';
import {isAlreadyExists, isNotFound} from '../../kube/errors.ts';
import {SECRET} from '../../kube/types.ts';
import {failureOf} from '../http/normalise.ts';
import {created} from './collection.ts';
import type {Store} from './types.ts';

type Secrets = Pick<Store, 'createSecret' | 'putSecret' | 'readSecret' | 'deleteSecret'>;

const encoded = (data: Readonly<Record<string, string | Buffer>>): Record<string, string> =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value as string).toString('base64')]));

/** The part of the store that is about Secrets; see `Store`. */
export function createSecrets(client: KubeClient): Secrets {
  const create: Secrets['createSecret'] = async (ref, data, labels, {signal}) => {
    const secret = {apiVersion: 'v1', kind: 'Secret', metadata: {...ref, labels}, type: 'Opaque', data: encoded(data)};
    await client.create(SECRET, secret, {signal});
  };
  return {
    createSecret: (ref, data, labels, call) => created(create(ref, data, labels, call)),

    async putSecret(ref, data, labels, call) {
      try {
        await create(ref, data, labels, call);
      } catch (error) {
        if (!isAlreadyExists(error)) throw failureOf(error);
        await created(client.mergePatch(SECRET, ref, {metadata: {labels}, data: encoded(data)}, {signal: call.signal}));
      }
    },

    async readSecret(ref, {signal}) {
      try {
        const {data = {}} = await client.get(SECRET, ref, {signal});
        return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64')]));
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw failureOf(error);
      }
    },

    async deleteSecret(ref, {signal}) {
      try {
        await client.delete(SECRET, ref, {signal});
      } catch (error) {
        if (!isNotFound(error)) throw failureOf(error);
      }
    },
  };
}
