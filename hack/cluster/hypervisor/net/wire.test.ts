import {createSocket} from 'node:dgram';
import type {Socket} from 'node:dgram';
import {afterEach, beforeEach, expect, test} from '@jest/globals';
import {silentLogger} from '../../../../kube/log.ts';
import {createWire, portBlockOf, WIRE_HOST} from './wire.ts';
import type {Wire} from './wire.ts';

// Far from the blocks of clusters that may run beside the tests.
const block = {first: 11_500, count: 16};
let wire: Wire;
let guests: Socket[];
beforeEach(() => {
  wire = createWire({block, log: silentLogger});
  guests = [];
});
afterEach(async () => {
  await wire.close();
  for (const guest of guests) guest.close();
});

/** The guest's end, as qemu has it. */
async function guestAt(port: number): Promise<Socket> {
  const socket = createSocket({type: 'udp4', reuseAddr: true});
  guests.push(socket);
  await new Promise<void>((resolve) => socket.bind({address: WIRE_HOST, port}, resolve));
  return socket;
}
const next = (socket: Socket): Promise<string> => new Promise((resolve) => socket.once('message', (frame) => resolve(frame.toString())));

test('frames go both ways, each to its own end', async () => {
  const heard: string[] = [];
  let resolve: () => void = () => undefined;
  const both = new Promise<void>((done) => (resolve = done));
  const hear = (who: string) => (frame: Buffer) => {
    heard.push(`${who} ${frame.toString()}`);
    if (heard.length === 2) resolve();
  };
  const [one, two] = [await wire.lay(hear('one')), await wire.lay(hear('two'))];
  expect(one.switchPort).toBe(two.switchPort);
  const [guestOne, guestTwo, stranger] = [await guestAt(one.guestPort), await guestAt(two.guestPort), await guestAt(0)];
  stranger.send('from a stranger', one.switchPort, WIRE_HOST);
  guestOne.send('from one', one.switchPort, WIRE_HOST);
  guestTwo.send('from two', two.switchPort, WIRE_HOST);
  await both;
  expect(heard.toSorted()).toEqual(['one from one', 'two from two']);
  const answer = next(guestTwo);
  two.send(Buffer.from('to two'));
  expect(await answer).toBe('to two');
});

test('a port that somebody has is not taken, even by one who would share it', async () => {
  const taken = await guestAt(block.first + 1);
  const ports = [await wire.lay(() => undefined), await wire.lay(() => undefined)].map(({guestPort}) => guestPort);
  expect(ports).not.toContain(taken.address().port);
  expect(new Set(ports).size).toBe(2);
});

test('a cable is taken up by the next program on the same ports', async () => {
  const {guestPort, switchPort} = await wire.lay(() => undefined);
  const guest = await guestAt(guestPort);
  await wire.close();
  guest.send('lost', switchPort, WIRE_HOST);
  wire = createWire({block, log: silentLogger});
  let hear: (text: string) => void = () => undefined;
  const heard = new Promise<string>((resolve) => (hear = resolve));
  await wire.takeUp({guestPort, switchPort}, (frame) => hear(frame.toString()));
  guest.send('hello again', switchPort, WIRE_HOST);
  expect(await heard).toBe('hello again');
  expect((await wire.lay(() => undefined)).guestPort).not.toBe(guestPort);
});

test('a port of the switch that somebody has by now is an error', async () => {
  const thief = await guestAt(block.first + 3);
  await expect(wire.takeUp({guestPort: block.first + 4, switchPort: thief.address().port}, () => undefined)).rejects.toThrow('EADDRINUSE');
});

test('without free ports there is an error that names them', async () => {
  for (let index = 0; index < block.count - 1; index++) await wire.lay(() => undefined);
  await expect(wire.lay(() => undefined)).rejects.toThrow('no free UDP port between 11500 and 11515');
});

test('clusters side by side have blocks of their own, below the kernel’s range', () => {
  const blocks = Array.from({length: 25}, (_, slot) => portBlockOf(slot));
  expect(new Set(blocks.map(({first}) => first)).size).toBe(25);
  expect(Math.max(...blocks.map(({first, count}) => first + count))).toBeLessThanOrEqual(20_000);
});
