import {afterEach, beforeEach, describe, expect, test} from '@jest/globals';
import type {KubeClient} from './client.ts';
import {LeadershipLostError, runLeaderElection} from './lease.ts';
import {silentLogger} from './log.ts';
import {startFakeApiServer} from './testing/fake-api-server.ts';
import type {FakeApiServer} from './testing/fake-api-server.ts';
import {FakeClock, settle} from './testing/fake-clock.ts';
import {until} from './testing/until.ts';
import {LEASE} from './types.ts';
import type {Lease} from './types.ts';

let server: FakeApiServer;
let clock: FakeClock;
let story: string[];
let candidates: Candidate[];
beforeEach(async () => {
  server = await startFakeApiServer();
  clock = new FakeClock();
  story = [];
  candidates = [];
});
afterEach(async () => {
  for (const each of candidates) each.stop();
  await Promise.all(candidates.map(({ended}) => ended.catch(() => undefined)));
  await server.close();
});

interface Candidate {
  readonly client: KubeClient;
  readonly ended: Promise<void>;
  stop(): void;
}

/** A process of the election; times as in production (15/10/2 s), on the fake clock. */
function candidate(identity: string, own: FakeClock = clock, onStarted?: (leading: AbortSignal) => void): Candidate {
  const abort = new AbortController();
  const client = server.client({clock: own});
  const ended = runLeaderElection(
    {
      client,
      namespace: 'n',
      name: 'l',
      identity,
      clock: own,
      log: silentLogger,
      random: () => 0,
      metrics: {leader: (_name, leading) => story.push(`${identity} ${leading ? 'up' : 'down'}`)},
      onStarted(leading) {
        story.push(`${identity} leads at ${own.monotonicMs() / 1000}`);
        leading.addEventListener('abort', () => story.push(`${identity} ends at ${own.monotonicMs() / 1000}`), {once: true});
        onStarted?.(leading);
      },
    },
    abort.signal,
  );
  ended.catch(() => undefined);
  const made = {client, ended, stop: () => abort.abort(new Error('stop'))};
  candidates.push(made);
  return made;
}

const lease = (): Lease | undefined => server.object(LEASE, {namespace: 'n', name: 'l'});
const told = (line: string): Promise<unknown> =>
  until(`“${line}” in: ${story.join(', ')}`, () => story.some((each) => each.startsWith(line)));

/** Lets `seconds` pass, one at a time, waiting after each until the requests it caused are answered. */
async function pass(seconds: number): Promise<void> {
  for (let i = 0; i < seconds; i++) {
    clock.advance(1000);
    await quiet();
  }
}
async function quiet(): Promise<void> {
  for (let still = 0, seen = -1; still < 20; still++) {
    const now = server.requests.length + server.requests.filter(({status}) => status !== 0).length;
    if (now !== seen) still = 0;
    seen = now;
    await settle();
  }
}

describe('leadership', () => {
  test('is taken when free, renewed every two seconds, and given back on a clean stop', async () => {
    const a = candidate('a');
    await told('a leads');
    expect(lease()?.spec).toMatchObject({
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      leaseTransitions: 0,
      acquireTime: '2026-01-01T00:00:00.000000Z',
    });
    await pass(20);
    expect(server.requests.filter(({method}) => method === 'PUT')).toHaveLength(10);
    expect(lease()?.spec?.renewTime).toBe('2026-01-01T00:00:20.000000Z');
    a.stop();
    await a.ended;
    expect(lease()?.spec).toMatchObject({holderIdentity: '', leaseDurationSeconds: 1});
    expect(story).toEqual(['a down', 'a up', 'a leads at 0', 'a ends at 20', 'a down']);
  });

  test('passes on at once after a clean stop', async () => {
    const a = candidate('a');
    await told('a leads');
    candidate('b');
    await quiet();
    await pass(3);
    a.stop();
    await a.ended;
    await pass(2);
    expect(story.filter((line) => line.includes(' at '))).toEqual(['a leads at 0', 'a ends at 3', 'b leads at 4']);
    expect(lease()?.spec?.leaseTransitions).toBe(1);
  });

  test('passes on after the lease duration when the leader dies, by the follower’s own clock', async () => {
    server.put(LEASE, {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: {name: 'l', namespace: 'n'},
      spec: {holderIdentity: 'dead', leaseDurationSeconds: 15, renewTime: '2020-01-01T00:00:00.000000Z', leaseTransitions: 4}, // its clock was years off
    });
    candidate('b');
    await quiet();
    await pass(15);
    expect(story).toEqual(['b down']);
    await pass(2);
    expect(story).toContain('b leads at 16');
    expect(lease()?.spec?.leaseTransitions).toBe(5);
  });

  test('two that start together: one leads', async () => {
    candidate('a');
    candidate('b');
    await quiet();
    await pass(20);
    expect(story.filter((line) => line.includes('leads'))).toHaveLength(1);
  });

  test('is kept through failures that last less than the renewal deadline', async () => {
    const a = candidate('a');
    await told('a leads');
    await pass(2);
    server.faults.serverError({times: 2, match: ({method}) => method === 'PUT'});
    server.faults.reset({match: ({method}) => method === 'PUT'});
    await pass(8);
    expect(story.filter((line) => line.startsWith('a ends'))).toEqual([]);
    await pass(10);
    a.stop();
    await a.ended;
  });

  test('survives a renewal whose answer was lost', async () => {
    const a = candidate('a');
    await told('a leads');
    server.faults.reset({afterEffect: true, match: ({method}) => method === 'PUT'});
    await pass(8);
    a.stop();
    await a.ended;
    expect(lease()?.spec?.holderIdentity).toBe('');
  });

  test('survives somebody’s edit of the lease', async () => {
    const a = candidate('a');
    await told('a leads');
    await server.client().mergePatch(LEASE, {namespace: 'n', name: 'l'}, {metadata: {labels: {looked: 'at'}}});
    await pass(8);
    a.stop();
    await a.ended;
    expect(lease()?.metadata.labels).toEqual({looked: 'at'});
  });

  test('ends ten seconds after the last renewal, before a follower may take over', async () => {
    const a = candidate('a');
    await told('a leads');
    const b = candidate('b');
    await pass(4);
    // Only the leader is cut off: its requests hang, as on a dead network.
    server.faults.halfOpen({times: Infinity, match: ({method}) => method === 'PUT'});
    await pass(10);
    await expect(a.ended).rejects.toBeInstanceOf(LeadershipLostError);
    server.faults.clear();
    await pass(10);
    b.stop();
    await b.ended;
    const times = story.filter((line) => line.includes(' at '));
    expect(times.slice(0, 2)).toEqual(['a leads at 0', 'a ends at 14']);
    expect(Number(times[2]?.split(' at ')[1])).toBeGreaterThanOrEqual(19);
  });

  test.each([
    [
      'taken over',
      (): void => void server.put(LEASE, {...required(), spec: {...required().spec, holderIdentity: 'thief'}}),
      'held by thief',
    ],
    ['deleted', (): void => server.remove(LEASE, {namespace: 'n', name: 'l'}), 'it was deleted'],
  ])('a lease that was %s ends it', async (_name, happen, message) => {
    const a = candidate('a');
    await told('a leads');
    happen();
    await pass(5);
    await expect(a.ended).rejects.toThrow(message);
    expect(story.at(-1)).toBe('a down');
    expect(story.some((line) => line.startsWith('a ends'))).toBe(true);
  });

  test('one that waits stops without a trace', async () => {
    const a = candidate('a');
    await told('a leads');
    const b = candidate('b');
    await quiet();
    b.stop();
    await b.ended;
    expect(story.filter((line) => line.startsWith('b') && line !== 'b down')).toEqual([]);
    expect(lease()?.spec?.holderIdentity).toBe('a');
    a.stop();
    await a.ended;
  });

  test('a release that fails is no failure of the stop', async () => {
    const a = candidate('a');
    await told('a leads');
    server.faults.serverError({times: Infinity});
    a.stop();
    await a.ended;
    expect(lease()?.spec?.holderIdentity).toBe('a');
  });

  test('what onStarted throws ends the election', async () => {
    const a = candidate('a', clock, () => {
      throw new Error('cannot start');
    });
    await expect(a.ended).rejects.toThrow('cannot start');
  });
});

function required(): Lease {
  const object = lease();
  if (object === undefined) throw new Error('no lease');
  return object;
}
