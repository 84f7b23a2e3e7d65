/** An informer of widgets over a fake API server, whose time stands still unless a test moves it. */
import type {Change} from '../informer.ts';
import {silentLogger} from '../log.ts';
import type {AnyObject, ResourceType} from '../objects.ts';
import {createInformer} from '../reflector.ts';
import type {InformerOptions, RunningInformer} from '../reflector.ts';
import {startFakeApiServer} from './fake-api-server.ts';
import type {FakeApiServer} from './fake-api-server.ts';
import {FakeClock, settle} from './fake-clock.ts';
import {until} from './until.ts';

/** What is watched. */
export interface Widget extends AnyObject {
  readonly spec: {readonly size?: number};
}

export const WIDGET: ResourceType<Widget> = {group: 'test.dev', version: 'v1', plural: 'widgets', kind: 'Widget', namespaced: true};

/** A widget of namespace `n`. */
export const widget = (name: string, size = 1, labels: Record<string, string> = {}): Widget => ({
  apiVersion: 'test.dev/v1',
  kind: 'Widget',
  metadata: {name, namespace: 'n', labels},
  spec: {size},
});

/** The bench of one test; `close` ends it. */
export interface ReflectorBench {
  readonly server: FakeApiServer;
  readonly clock: FakeClock;
  /** Ends the informers. */
  readonly stop: AbortController;
  /** What the informers told, one line a change: `modified a 1>2`. */
  readonly told: string[];
  /** Lists and ends that were reported to the metrics, with their reasons. */
  readonly reported: string[];
  /** Starts an informer. Backoffs are 600 ms, 1.2 s, … (random 0.5). */
  start(options?: Partial<InformerOptions<Widget>>): RunningInformer<Widget>;
  /** Resolves when so many watches are open. */
  watching(count?: number): Promise<unknown>;
  /** Resolves when so many changes were told. */
  toldOf(count: number): Promise<unknown>;
  close(): Promise<void>;
}

/** Opens a bench. */
export async function openReflectorBench(): Promise<ReflectorBench> {
  const server = await startFakeApiServer();
  const clock = new FakeClock();
  const stop = new AbortController();
  const told: string[] = [];
  const reported: string[] = [];
  return {
    server,
    clock,
    stop,
    told,
    reported,
    start(options = {}) {
      const informer = createInformer<Widget>({
        client: server.client({clock, random: () => 0.5, retry: {maxRetries: 0}}),
        type: WIDGET,
        clock,
        log: silentLogger,
        random: () => 0.5,
        freeze: true,
        indexes: {size: (object) => [String(object.spec.size)]},
        metrics: {
          reflector: () => ({relisted: (reason) => reported.push(`list ${reason}`), ended: (reason) => reported.push(`end ${reason}`)}),
        },
        ...options,
      });
      informer.onChange((change: Change<Widget>) =>
        told.push(`${change.kind} ${change.object.metadata.name} ${change.oldObject?.spec.size ?? '-'}>${change.object.spec.size}`),
      );
      informer.start(stop.signal);
      return informer;
    },
    watching: (count = 1) => until(`${count} watches`, () => server.watches.length === count),
    toldOf: (count) => until(`${count} changes, got ${told.join(', ')}`, () => told.length >= count),
    async close() {
      stop.abort(new Error('the test is over'));
      await settle();
      await server.close();
    },
  };
}
