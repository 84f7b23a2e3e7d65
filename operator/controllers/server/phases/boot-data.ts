/** First-boot data: reads the boot Secret and the key pairs, and makes the seed of the guest from them. Nothing of it is ever logged. */
import type {Server} from '../../../../crds/index.ts';
import {cloudInitSecretName} from '../../../../crds/rules/names.ts';
import {LABELS} from '../../../../crds/wellknown.ts';
import {SECRET} from '../../../../kube/types.ts';
import type {Secret} from '../../../../kube/types.ts';
import {freshly} from '../../../children/ensure.ts';
import type {Seed, SeedFile, SeedNic} from '../../../kubevirt/cloud-init.ts';
import type {Deps} from '../../../runtime/types.ts';
import {FIELD_MANAGER} from '../../shared/finalizer.ts';
import {controllerReference} from '../../shared/owner.ts';
import {failed, no, unknown, yes} from '../findings.ts';
import type {Finding} from '../findings.ts';
import type {Scope} from '../scope.ts';

/** What the phase found. */
export interface BootDataFound {
  readonly finding: Finding;
  /** Whether the machine may be made. */
  readonly complete: boolean;
  /** Name of the Secret with the seed; absent: the server needs none. */
  readonly secretName?: string;
  /** The seed to write; absent: it is there already, or none is needed. */
  readonly seed?: Seed;
}

/** Bytes of decoded data that a Secret takes (1 MiB), less some room for its metadata. */
const MAX_SEED_BYTES = 1_000_000;

/** Whether a guest has any use for a seed: a server of drives alone boots what is on them, as it always did. */
export function needsSeed(server: Server): boolean {
  const {image, keyPairs, personality, bootSecret} = server.spec;
  return image !== undefined || bootSecret !== undefined || (keyPairs ?? []).length > 0 || (personality ?? []).length > 0;
}

const text = (secret: Secret | undefined, key: string): string | undefined => {
  const value = secret?.data?.[key];
  return value === undefined ? undefined : Buffer.from(value, 'base64').toString('utf8');
};

/** Makes a Secret that was written for the server go with it. Its writer may have done so already. Throws `ApiError`. */
export async function adopt(deps: Pick<Deps, 'client'>, server: Server, secret: Secret, uuid: string, signal: AbortSignal): Promise<void> {
  const owners = secret.metadata.ownerReferences ?? [];
  if (owners.some(({uid}) => uid === server.metadata.uid)) return;
  // Not as its controller: a person may use one Secret for several servers.
  const {controller: _controller, ...reference} = controllerReference(server);
  const metadata = {
    resourceVersion: secret.metadata.resourceVersion,
    labels: {[LABELS.server]: uuid},
    ownerReferences: [...owners, {...reference, blockOwnerDeletion: false}],
  };
  await deps.client.mergePatch(
    SECRET,
    {namespace: secret.metadata.namespace ?? '', name: secret.metadata.name},
    {metadata},
    {signal, fieldManager: FIELD_MANAGER},
  );
}

function filesOf(server: Server, secret: Secret | undefined): {readonly files: readonly SeedFile[]; readonly missing: readonly string[]} {
  const wanted = server.spec.personality ?? [];
  const files = wanted.flatMap(({path, contentKey, owner, group, mode}) => {
    const contentBase64 = secret?.data?.[contentKey];
    if (contentBase64 === undefined) return [];
    return [
      {
        path,
        contentBase64,
        ...(owner === undefined ? {} : {owner}),
        ...(group === undefined ? {} : {group}),
        ...(mode === undefined ? {} : {mode}),
      },
    ];
  });
  return {files, missing: wanted.map(({contentKey}) => contentKey).filter((key) => secret?.data?.[key] === undefined)};
}

/**
 * Runs the phase. The boot Secret is read only when the seed may have changed: at first, and after a change of the spec. Without `nics`,
 * which are not all known yet, it is only judged what is missing. Throws `ApiError`.
 */
export async function ensureBootData(
  deps: Deps,
  scope: Scope,
  nics: readonly SeedNic[] | undefined,
  signal: AbortSignal,
): Promise<BootDataFound> {
  const {server, namespace, uuid} = scope;
  if (!needsSeed(server)) return {finding: yes('NoBootData', 'there is no first-boot data'), complete: true};
  const secretName = cloudInitSecretName(server.metadata.name);
  const there = deps.informers.secrets.get(`${namespace}/${secretName}`) !== undefined;
  if (there && server.status?.observedGeneration === server.metadata.generation) {
    return {finding: yes('BootDataReady', 'first-boot data is in place'), complete: true, secretName};
  }
  const names = server.spec.keyPairs ?? [];
  const absent = names.filter((name) => scope.keyPairOf(name) === undefined);
  const bootName = server.spec.bootSecret?.name;
  const secret = bootName === undefined ? undefined : await freshly(deps.client, SECRET, {namespace, name: bootName}, signal);
  const {files, missing} = filesOf(server, secret);
  const problems = [
    ...(absent.length === 0 ? [] : [no('DependencyMissing', `key pair ${absent.join(', ')} does not exist`)]),
    ...(bootName !== undefined && secret === undefined
      ? [no('SecretMissing', `Secret ${bootName} does not exist`)]
      : missing.length > 0
        ? [no('SecretMissing', `Secret ${bootName} has no key ${missing.join(', ')}`)]
        : []),
  ];
  // The reason is that of the last: Secrets are not watched, so one that is missing is looked for again.
  const reason = problems.at(-1)?.reason;
  if (reason !== undefined) return {finding: no(reason, problems.map(({message}) => message).join('; ')), complete: false, secretName};
  if (nics === undefined) return {finding: unknown('Pending', 'written once every NIC has its address'), complete: false, secretName};
  if (secret !== undefined) await adopt(deps, server, secret, uuid, signal);
  const passwordHash = text(secret, 'passwordHash');
  const userData = text(secret, 'userData');
  const bytes = files.reduce((sum, file) => sum + file.contentBase64.length, userData?.length ?? 0);
  if (bytes > MAX_SEED_BYTES)
    return {finding: failed('BootDataTooLarge', `${bytes} bytes of first-boot data do not fit a Secret`), complete: false, secretName};
  const seed: Seed = {
    server: server.metadata.name,
    namespace,
    uuid,
    owner: controllerReference(server),
    displayName: server.spec.name,
    sshKeys: names.flatMap((name) => scope.keyPairOf(name)?.spec.publicKey.trim() ?? []),
    files,
    nics,
    ...(passwordHash === undefined ? {} : {passwordHash: passwordHash.trim()}),
    ...(userData === undefined ? {} : {userData}),
  };
  return {finding: yes('BootDataReady', 'first-boot data is in place'), complete: true, secretName, seed};
}
