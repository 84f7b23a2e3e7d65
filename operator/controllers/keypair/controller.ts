/** KeyPair: the fingerprint of its public key. It creates nothing. */
import {KEY_PAIR} from '../../../crds/index.ts';
import type {KeyPair, KeyPairStatus} from '../../../crds/index.ts';
import {fingerprintOf} from '../../../crds/rules/fingerprint.ts';
import {uuidOf} from '../../../crds/rules/ids.ts';
import {DONE} from '../../runtime/types.ts';
import type {ControllerDefinition, Deps} from '../../runtime/types.ts';
import {NOT_DELETING, conditionsOf} from '../shared/conditions.ts';
import type {Judgement} from '../shared/conditions.ts';
import {createKindController} from '../shared/kind-controller.ts';

/** The whole status. */
export function keyPairStatus(keyPair: KeyPair, duplicate: Judgement | undefined, nowMs: number): KeyPairStatus {
  const fingerprint = fingerprintOf(keyPair.spec.publicKey);
  const ready: Judgement =
    fingerprint === undefined
      ? {type: 'Ready', status: 'False', reason: 'KeyUnreadable', message: 'spec.publicKey is not an OpenSSH public key'}
      : {type: 'Ready', status: 'True', reason: 'Ready', message: ''};
  return {
    observedGeneration: keyPair.metadata.generation ?? 0,
    uuid: uuidOf(keyPair),
    ...(fingerprint === undefined ? {} : {fingerprint}),
    conditions: conditionsOf(keyPair, [duplicate ?? ready, NOT_DELETING], nowMs),
  };
}

/** Makes the KeyPair controller. */
export function createKeyPairController(deps: Deps): ControllerDefinition {
  return createKindController<KeyPairStatus, KeyPair>({
    deps,
    name: 'keypair',
    type: KEY_PAIR,
    informer: deps.informers.keyPairs,
    workers: 2,
    async reconcile(keyPair, scope) {
      await scope.saveStatus(keyPair, keyPairStatus(keyPair, scope.duplicate, scope.nowMs));
      return DONE;
    },
  });
}
