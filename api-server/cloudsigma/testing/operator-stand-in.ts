/**
 * A stand-in for the operator in tests of the api-server: gives drives and servers the states that they ask for, through the status
 * subresource, and holds them by the finalizer, so that a deletion takes a while. It knows no cluster behind it.
 */
import {DRIVE, FINALIZER, SERVER, SERVER_OPERATION, type Drive, type Server, type ServerOperation} from '../../../crds/index.ts';
import type {KubeClient} from '../../../kube/client.ts';
import {isConflict, isNotFound} from '../../../kube/errors.ts';
import {refOfObject, type KubeObject, type ResourceType} from '../../../kube/objects.ts';
import type {FakeApiServer} from '../../../kube/testing/fake-api-server.ts';
import type {RunningStore} from '../../store/store.ts';

/** The stand-in. */
export interface StandIn {
  /** Leaves new drives as they are, as if their bytes were on the way. */
  pauseDrives(): void;
  resumeDrives(): void;
  /** From now on servers that should run fail for this reason; undefined: they start. */
  failStarts(reason: string | undefined): void;
  /** Asks again and again until it holds; throws after 5 s. */
  until(holds: () => Promise<boolean>): Promise<void>;
  /** Throws what went wrong in the stand-in itself. */
  check(): void;
  stop(): void;
}

const ADDRESS = '10.0.0.9';
const NEVER = new AbortController().signal;

/** Starts it on the api-server's own caches. */
export function startStandIn(fake: FakeApiServer, store: RunningStore): StandIn {
  const client: KubeClient = fake.client({fieldManager: 'basalt-operator-status'});
  const errors: unknown[] = [];
  let drivesPaused = false;
  let failure: string | undefined;

  const attempt = (work: Promise<unknown>): void => {
    work.catch((error: unknown) => {
      // The api-server changed the object meanwhile: its change brings us here again.
      if (!isConflict(error) && !isNotFound(error)) errors.push(error);
    });
  };
  const writeStatus = <T extends KubeObject>(type: ResourceType<T>, object: T, status: object): void => {
    const seen = JSON.stringify({...(object as T & {status?: object}).status, ...status});
    if (seen === JSON.stringify((object as T & {status?: object}).status)) return;
    attempt(
      client.mergePatch(
        type,
        refOfObject(object),
        {metadata: {resourceVersion: object.metadata.resourceVersion}, status},
        {subresource: 'status'},
      ),
    );
  };

  /** Adds the finalizer to what is new and takes it from what is deleted; whether there was anything to do. */
  const finalize = <T extends KubeObject>(type: ResourceType<T>, object: T): boolean => {
    const deleting = object.metadata.deletionTimestamp !== undefined;
    const held = object.metadata.finalizers?.includes(FINALIZER) === true;
    if (held === deleting) attempt(client.mergePatch(type, refOfObject(object), {metadata: {finalizers: deleting ? null : [FINALIZER]}}));
    return held === deleting || deleting;
  };

  const onDrive = (drive: Drive): void => {
    if (finalize(DRIVE, drive)) return;
    if (!drivesPaused && drive.status?.phase !== 'Ready') writeStatus(DRIVE, drive, {phase: 'Ready', progressPercent: 100});
  };

  const onServer = (server: Server): void => {
    if (finalize(SERVER, server)) return;
    const {generation = 1} = server.metadata;
    if (server.status?.observedGeneration === generation) return;
    if (server.spec.powerState === 'Stopped') {
      writeStatus(SERVER, server, {observedGeneration: generation, phase: 'STOPPED', startedAt: null, nics: null});
    } else if (failure !== undefined) {
      writeStatus(SERVER, server, {observedGeneration: generation, phase: 'ERROR', fault: {message: failure}});
    } else {
      const nics = (server.spec.nics ?? []).map(({index}) => ({index, address: ADDRESS}));
      writeStatus(SERVER, server, {observedGeneration: generation, phase: 'ACTIVE', startedAt: new Date().toISOString(), nics});
    }
  };

  const onOperation = (operation: ServerOperation): void => {
    if (operation.status?.phase !== 'Completed') writeStatus(SERVER_OPERATION, operation, {phase: 'Completed'});
  };

  const sweep = (): void => {
    for (const drive of store.drives.list()) onDrive(drive);
  };
  const stops = [
    store.drives.onChange(({kind, object}) => (kind === 'deleted' ? undefined : onDrive(object))),
    store.servers.onChange(({kind, object}) => (kind === 'deleted' ? undefined : onServer(object))),
    store.serverOperations.onChange(({kind, object}) => (kind === 'deleted' ? undefined : onOperation(object))),
  ];

  return {
    pauseDrives: () => {
      drivesPaused = true;
    },
    resumeDrives: () => {
      drivesPaused = false;
      sweep();
    },
    failStarts: (reason) => {
      failure = reason;
    },
    async until(holds) {
      const deadline = AbortSignal.any([NEVER, AbortSignal.timeout(5_000)]);
      while (!(await holds())) {
        deadline.throwIfAborted();
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    check() {
      if (errors.length > 0) throw new AggregateError(errors, 'the stand-in failed');
    },
    stop: () => stops.forEach((stop) => stop()),
  };
}
