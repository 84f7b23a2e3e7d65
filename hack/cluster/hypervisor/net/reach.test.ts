import {beforeEach, describe, expect, test} from '@jest/globals';
import type {KubeClient} from '../../../../kube/client.ts';
import {ApiError} from '../../../../kube/errors.ts';
import {silentLogger} from '../../../../kube/log.ts';
import type {Forward} from './forwards.ts';
import {createReachBook, parseReach, REACH_ANNOTATION, reachText} from './reach.ts';
import type {ReachBook} from './reach.ts';

const at = (guestPort: number, host: string, port = guestPort): Forward => ({guestPort, host, port});
const WEB = {vmiUid: 'u1', vmiKey: 'acct/web'};

test('the text has NICs in their order, and can be read back', () => {
  const text = reachText(
    new Map([
      [1, [at(22, '10.100.16.13')]],
      [0, [at(22, '127.1.16.12', 10_022), at(8080, '127.1.16.12')]],
    ]),
  );
  expect(text).toBe('ssh=127.1.16.12:10022,tcp-8080=127.1.16.12:8080,ssh=10.100.16.13:22');
  expect(Object.fromEntries(parseReach(text))).toEqual({
    ssh: {host: '127.1.16.12', port: 10_022},
    'tcp-8080': {host: '127.1.16.12', port: 8080},
  });
  expect(parseReach(undefined).size).toBe(0);
  expect(parseReach('ssh,=1,ssh=nowhere').size).toBe(0);
});

describe('telling', () => {
  let written: [string, string | null][];
  let failures: ApiError[];
  let book: ReachBook;
  beforeEach(() => {
    written = [];
    failures = [];
    const client = {
      mergePatch(type: {kind: string}, _ref: object, patch: {metadata: {uid?: string; annotations: Record<string, string | null>}}) {
        const who = type.kind === 'Server' ? 'Server' : `VMI ${patch.metadata.uid}`;
        written.push([who, patch.metadata.annotations[REACH_ANNOTATION] ?? null]);
        const failure = failures.shift();
        return failure === undefined ? Promise.resolve({}) : Promise.reject(failure);
      },
    };
    book = createReachBook({client: client as unknown as KubeClient, log: silentLogger});
  });

  test('it is on the VMI and on the Server, and goes when the guest does', async () => {
    await book.tell(WEB, 0, [at(22, '10.0.0.1')]);
    await book.tell(WEB, 0, []);
    expect(written).toEqual([
      ['VMI u1', 'ssh=10.0.0.1:22'],
      ['Server', 'ssh=10.0.0.1:22'],
      ['VMI u1', null],
      ['Server', null],
    ]);
  });
  test('what an ended guest is released of late does not wipe out the next one’s', async () => {
    await book.tell(WEB, 0, [at(22, '10.0.0.1')]);
    await book.tell({...WEB, vmiUid: 'u2'}, 0, [at(22, '10.0.0.2')]);
    await book.tell(WEB, 0, []);
    expect(written.at(-1)).toEqual(['Server', 'ssh=10.0.0.2:22']);
    expect(written).toHaveLength(4);
  });
  test('the newest is written last', async () => {
    await Promise.all([1, 2, 3].map((index) => book.tell(WEB, 0, [at(22, `10.0.0.${index}`)])));
    expect(written.filter(([who]) => who === 'Server').map(([, text]) => text)).toEqual([
      'ssh=10.0.0.1:22',
      'ssh=10.0.0.2:22',
      'ssh=10.0.0.3:22',
    ]);
  });
  test.each([
    [404, 'NotFound'],
    [409, 'Conflict'],
    [500, 'InternalError'],
  ])('a VMI that cannot be written (%i) keeps nothing from the Server', async (status, reason) => {
    failures.push(new ApiError({status, reason, message: reason} as never));
    await book.tell(WEB, 0, [at(22, '10.0.0.1')]);
    expect(written.at(-1)).toEqual(['Server', 'ssh=10.0.0.1:22']);
  });
});
