import {expect, test} from '@jest/globals';
import {FakeClock, settle} from '../../../../kube/testing/fake-clock.ts';
import {reasonOf} from './instance.ts';
import {QmpError} from './qmp.ts';

const closed = new QmpError('qemu closed the connection before it greeted', false);

test('the words of a qemu that ends after its socket closed are the reason', async () => {
  const clock = new FakeClock();
  const end = Promise.withResolvers<never>();
  const reason = reasonOf(closed, end.promise, clock);
  clock.advance(900);
  end.reject(new Error('qemu ended with code 1: Duplicate nodes'));
  expect(await reason).toMatchObject({message: 'qemu ended with code 1: Duplicate nodes'});
});

test('one that does not end is waited for no longer than a second', async () => {
  const clock = new FakeClock();
  const reason = reasonOf(closed, new Promise<never>(() => undefined), clock);
  await settle();
  clock.advance(1_000);
  expect(await reason).toBe(closed);
});
