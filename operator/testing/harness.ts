/**
 * The whole operator of a test: real informers, queue and writes against the fake API server, on a clock that runs ahead while a test
 * waits, so that delays and back-offs cost no time.
 */
import {sequenceName} from '../../crds/rules/ids.ts';
import {Registry} from 'prom-client';
import {ALL_KINDS} from '../../crds/index.ts';
import {createApplier} from '../../kube/apply.ts';
import {createSequence} from '../../kube/ids.ts';
import {silentLogger} from '../../kube/log.ts';
import type {KubeObject, ResourceType} from '../../kube/objects.ts';
import {startFakeApiServer} from '../../kube/testing/fake-api-server.ts';
import type {FakeApiServer} from '../../kube/testing/fake-api-server.ts';
import {FakeClock} from '../../kube/testing/fake-clock.ts';
import {until} from '../../kube/testing/until.ts';
import {CONFIG_MAP, NAMESPACE, NODE, PERSISTENT_VOLUME_CLAIM, POD, ROLE_BINDING, SECRET} from '../../kube/types.ts';
import {STORAGE_CLASS, STORAGE_PROFILE} from '../controllers/shared/storage.ts';
import {CLUSTER_INSTANCETYPE} from '../controllers/flavor/plan.ts';
import {NETWORK_ATTACHMENT} from '../controllers/network/plan.ts';
import {createInformers} from '../create-informers.ts';
import {DATA_SOURCE, DATA_VOLUME, MIGRATION, VIRTUAL_MACHINE, VIRTUAL_MACHINE_INSTANCE} from '../kubevirt/types.ts';
import {createManager} from '../runtime/manager.ts';
import type {Manager} from '../runtime/manager.ts';
import {createRuntimeMetrics} from '../runtime/metrics.ts';
import {createServedKinds} from '../runtime/served-kinds.ts';
import type {ControllerDefinition, Deps} from '../runtime/types.ts';

/** Kinds of Kubernetes itself. */
const CORE = [NODE, POD, SECRET, CONFIG_MAP, NAMESPACE, ROLE_BINDING, PERSISTENT_VOLUME_CLAIM, STORAGE_CLASS];
/** Kinds of KubeVirt, CDI and Multus. */
export const VIRTUALISATION = [
  VIRTUAL_MACHINE,
  VIRTUAL_MACHINE_INSTANCE,
  MIGRATION,
  DATA_VOLUME,
  DATA_SOURCE,
  CLUSTER_INSTANCETYPE,
  NETWORK_ATTACHMENT,
];

/** Options of {@link startHarness}. */
export interface HarnessOptions {
  controllers(deps: Deps): readonly ControllerDefinition[];
  /** Whether the server serves KubeVirt's, CDI's and Multus' kinds. Default true. */
  readonly virtualisation?: boolean;
}

/** How far the clock runs with each look at what a test waits for, in milliseconds. */
const STEP_MS = 20;

/** An event that a controller recorded. */
export interface RecordedEvent {
  readonly object: string;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
}

/** A running operator. */
export interface Harness {
  readonly server: FakeApiServer;
  readonly deps: Deps;
  readonly manager: Manager;
  readonly events: readonly RecordedEvent[];
  /** Resolves with an object once it satisfies `probe`. */
  eventually<T extends KubeObject>(type: ResourceType<T>, name: string, probe: (object: T) => boolean, namespace?: string): Promise<T>;
  /** Resolves once an object is gone. */
  gone<T extends KubeObject>(type: ResourceType<T>, name: string, namespace?: string): Promise<void>;
  /** Resolves once no write has happened for `ms` of the fake clock (default 3,000); with how many there were so far. */
  quiet(ms?: number): Promise<number>;
  stop(): Promise<void>;
}

/** Starts the fake server and an operator with these controllers on it. */
export async function startHarness(options: HarnessOptions): Promise<Harness> {
  const {virtualisation = true} = options;
  const clock = new FakeClock();
  const server = await startFakeApiServer({
    types: [...ALL_KINDS, ...CORE, ...(virtualisation ? [...VIRTUALISATION, STORAGE_PROFILE] : [])],
    collectGarbage: true,
  });
  const client = server.client();
  const systemNamespace = 'basalt-system';
  const {informers, managed} = createInformers({client, clock, log: silentLogger, systemNamespace});
  const kinds = createServedKinds({client, clock, log: silentLogger});
  const events: RecordedEvent[] = [];
  const deps: Deps = {
    client,
    clock,
    log: silentLogger,
    events: {
      event: (object, {type, reason, message}) =>
        void events.push({object: `${object.kind} ${object.metadata.name}`, type, reason, message}),
    },
    applier: createApplier({client, fieldManager: 'basalt-operator'}),
    informers,
    sequences: ({kind}) => createSequence({client, namespace: systemNamespace, name: sequenceName(kind), blockSize: 1, clock}),
    served: kinds.served,
    systemNamespace,
  };
  const manager = createManager({clock, log: silentLogger, metrics: createRuntimeMetrics(new Registry()), kinds});
  managed.forEach(manager.addInformer);
  options.controllers(deps).forEach(manager.addController);
  manager.start();
  const ref = (name: string, namespace: string | undefined) => ({name, ...(namespace === undefined ? {} : {namespace})});
  return {
    server,
    deps,
    manager,
    events,
    async eventually(type, name, probe, namespace) {
      const seen = () => server.object(type, ref(name, namespace));
      try {
        return await until(`${type.kind} ${name}`, () => {
          clock.advance(STEP_MS);
          const object = seen();
          return object !== undefined && probe(object) && object;
        });
      } catch (error) {
        throw new Error(`${type.kind} ${name} never was as ${probe.toString()}; it is ${JSON.stringify(seen())}`, {cause: error});
      }
    },
    async gone(type, name, namespace) {
      await until(`${type.kind} ${name} to go`, () => {
        clock.advance(STEP_MS);
        return server.object(type, ref(name, namespace)) === undefined;
      });
    },
    async quiet(ms = 3_000) {
      let [seen, sinceMs] = [server.writes, clock.monotonicMs()];
      await until('the writes to end', () => {
        clock.advance(STEP_MS);
        if (server.writes !== seen) [seen, sinceMs] = [server.writes, clock.monotonicMs()];
        return clock.monotonicMs() - sinceMs >= ms;
      });
      return seen;
    },
    async stop() {
      await manager.shutdown();
      await server.close();
    },
  };
}
