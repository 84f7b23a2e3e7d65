/** A fake API server with informers on it, for the hypervisor's tests: real HTTP, a clock that stands still. */
import {createInformer} from '../../../../kube/reflector.ts';
import type {KubeClient} from '../../../../kube/client.ts';
import type {Informer} from '../../../../kube/informer.ts';
import {silentLogger} from '../../../../kube/log.ts';
import type {KubeObject, ResourceType} from '../../../../kube/objects.ts';
import {FakeClock, settle} from '../../../../kube/testing/fake-clock.ts';
import {startFakeApiServer} from '../../../../kube/testing/fake-api-server.ts';
import type {FakeApiServer} from '../../../../kube/testing/fake-api-server.ts';
import {NODE, POD} from '../../../../kube/types.ts';
import {createGuestTable} from '../guest-table.ts';
import type {GuestTable} from '../guest-table.ts';
import {createHostPower} from '../host-power.ts';
import {BY_VMI, createLauncherPods, vmiKeyOf} from '../launcher-pods.ts';
import {startLifeCycle} from '../life-cycle.ts';
import type {LifeCycle} from '../life-cycle.ts';
import {createSimulatedDriver} from '../simulated-guest.ts';
import {LABELS, VMI} from '../types.ts';
import type {Vmi} from '../types.ts';
import {createVmiWriter} from '../vmi-writer.ts';

/** What a test works with. `close` ends all of it. */
export interface TestBench {
  readonly api: FakeApiServer;
  readonly client: KubeClient;
  readonly clock: FakeClock;
  readonly vmis: Informer<Vmi>;
  informer<T extends KubeObject>(type: ResourceType<T>): Promise<Informer<T>>;
  /** A life cycle of simulated guests (50 ms to start and to stop, 500 ms to copy); ends with the bench. */
  lifeCycle(): Promise<{readonly lifeCycle: LifeCycle; readonly table: GuestTable; /** Events. */ readonly told: readonly string[]}>;
  /** Lets sockets, queues and timers make progress until `probe` is true; time moves on by at most `withinMs` (default 10 s). */
  until(what: string, probe: () => boolean, withinMs?: number): Promise<void>;
  /** Lets everything that is under way come to rest, without time moving on. */
  rest(): Promise<void>;
  /** Ends it with the bench. */
  onClose(end: () => Promise<void>): void;
  close(): Promise<void>;
}

/** Opens a bench. */
export async function openBench(): Promise<TestBench> {
  const clock = new FakeClock();
  const api = await startFakeApiServer({now: () => clock.now(), withoutStatusSubresource: [VMI.plural]});
  const client = api.client();
  const abort = new AbortController();
  const ends: (() => Promise<void>)[] = [];
  const informer = async <T extends KubeObject>(type: ResourceType<T>): Promise<Informer<T>> => {
    const made = createInformer({client, type, clock, log: silentLogger});
    made.start(abort.signal);
    await made.waitForSync();
    return made;
  };
  const vmis = await informer(VMI);

  // Sockets need real turns of the event loop, not time: 20 turns without a request under way are rest.
  const rest = async (): Promise<void> => {
    for (let quiet = 0, seen = api.requests.length; quiet < 20; quiet++) {
      await settle();
      if (api.requests.length !== seen) [quiet, seen] = [0, api.requests.length];
    }
  };

  return {
    api,
    client,
    clock,
    vmis,
    informer,
    rest,
    async lifeCycle() {
      const pods = createInformer({
        client,
        type: POD,
        labelSelector: LABELS.launcher,
        indexes: {[BY_VMI]: vmiKeyOf},
        clock,
        log: silentLogger,
      });
      pods.start(abort.signal);
      await pods.waitForSync();
      const nodes = await informer(NODE);
      const table = createGuestTable();
      const told: string[] = [];
      const lifeCycle = startLifeCycle({
        vmis,
        pods,
        writer: createVmiWriter({client, informer: vmis, clock}),
        launchers: createLauncherPods({client, pods, clock}),
        drivers: {simulated: createSimulatedDriver({clock})},
        mode: 'simulated',
        table,
        events: {event: (object, input) => void told.push(`${object.metadata.name}: ${input.reason}: ${input.message}`)},
        power: createHostPower(nodes),
        address: '10.245.0.20',
        clock,
        log: silentLogger,
      });
      ends.unshift(() => lifeCycle.stop());
      return {lifeCycle, table, told};
    },
    async until(what, probe, withinMs = 10_000) {
      const start = clock.monotonicMs();
      for (;;) {
        await rest();
        if (probe()) return;
        const next = clock.nextMs;
        if (next === undefined || clock.monotonicMs() + next - start > withinMs) throw new Error(`${what}: not within ${withinMs} ms`);
        clock.advance(next);
      }
    },
    onClose: (end) => void ends.unshift(end),
    async close() {
      for (const end of ends) await end();
      abort.abort(new Error('the test is over'));
      await api.close();
    },
  };
}
