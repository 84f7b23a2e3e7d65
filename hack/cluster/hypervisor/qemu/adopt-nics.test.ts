import {beforeEach, expect, test} from '@jest/globals';
import {silentLogger} from '../../../../kube/log.ts';
import {FakeClock} from '../../../../kube/testing/fake-clock.ts';
import type {NicAttachment} from '../net/networks.ts';
import {vmi} from '../testing/objects.ts';
import {adoptNics} from './adopt-nics.ts';
import {nicRequest} from './driver.ts';
import {planMachine} from './machine.ts';

const VMI = vmi();
const {plan} = planMachine(VMI, new Map());
const attachment = (state: string) => ({state, setLink: () => undefined}) as Partial<NicAttachment> as NicAttachment;

let dark: string[];
let attempts: number;
beforeEach(() => {
  dark = [];
  attempts = 0;
});

/** The states of the NICs that were taken up, when the first `failures` attempts fail. */
async function adopt(failures: number, attach: () => Promise<NicAttachment>): Promise<readonly unknown[]> {
  const clock = new FakeClock();
  const adopted = adoptNics({
    networks: {
      adopt: (state) =>
        ++attempts <= failures ? Promise.reject(new Error('EADDRINUSE')) : Promise.resolve(attachment(`taken up ${JSON.stringify(state)}`)),
      attach,
    },
    plan,
    states: {'0': 'zero'},
    request: (nic) => nicRequest(nic, {vmi: VMI}),
    onDark: (message) => dark.push(message),
    clock,
    log: silentLogger,
  });
  await clock.advanceAndSettle(10_000);
  return [...(await adopted).values()].map(({state}) => state);
}
const never = () => Promise.reject(new Error('no such network'));

test('what fails for a while is taken up all the same', async () => {
  expect(plan.nics).toHaveLength(1);
  expect(await adopt(3, never)).toEqual(['taken up "zero"']);
  expect(dark).toEqual([]);
});

test('a NIC whose cable is lost is dark, and that is told', async () => {
  expect(await adopt(Infinity, () => Promise.resolve(attachment('laid anew')))).toEqual(['laid anew']);
  expect(dark).toEqual([expect.stringMatching(/^interface nic0 is cut off .*EADDRINUSE$/)]);
});

test('one without a network does not keep its guest from being found', async () => {
  expect(await adopt(Infinity, never)).toEqual([]);
  expect([attempts, dark.length]).toEqual([4, 1]);
});
