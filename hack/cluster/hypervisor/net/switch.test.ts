import {beforeEach, describe, expect, test} from '@jest/globals';
import {createSwitch, LARGEST_FRAME_BYTES} from './switch.ts';
import type {PortOptions, Switch, SwitchPort, Uplink} from './switch.ts';
import {ALL, arp, dhcpRequest, frame, ip, udp} from './testing.ts';

const [A, B, C] = ['02:00:00:00:00:0a', '02:00:00:00:00:0b', '02:00:00:00:00:0c'] as const;
const GATEWAY = '52:55:0a:64:00:01';

interface Plugged {
  readonly port: SwitchPort;
  readonly got: Buffer[];
}

let fabric: Switch;
beforeEach(() => {
  fabric = createSwitch();
});

/** A NIC whose guest runs and has not said a word yet. */
function plug(mac: string, options: Partial<PortOptions> = {}, on = fabric): Plugged {
  const got: Buffer[] = [];
  const port = on.plug({mac, send: (one) => got.push(one), ...options});
  port.activate();
  return {port, got};
}

describe('who hears what', () => {
  test('a broadcast is heard by all others, a frame for one by that one alone', () => {
    const [a, b, c] = [plug(A), plug(B), plug(C)];
    a.port.receive(frame(A, ALL));
    expect([a.got.length, b.got.length, c.got.length]).toEqual([0, 1, 1]);
    b.port.receive(frame(B, A));
    expect([a.got.length, b.got.length, c.got.length]).toEqual([1, 1, 1]);
    expect(a.got[0]).toEqual(frame(B, A));
  });
  test.each([
    ['a multicast', '33:33:00:00:00:01'],
    ['a frame for nobody who is known', '02:00:00:00:00:99'],
  ])('%s is heard by all others', (_what, target) => {
    const [a, b, c] = [plug(A), plug(B), plug(C)];
    a.port.receive(frame(A, target));
    expect([a.got.length, b.got.length, c.got.length]).toEqual([0, 1, 1]);
  });
  test('a frame to oneself comes back to nobody', () => {
    const [a, b] = [plug(A), plug(B)];
    a.port.receive(frame(A, A));
    expect([a.got.length, b.got.length]).toEqual([0, 0]);
  });
  test('another switch hears nothing', () => {
    const [a, other] = [plug(A), plug(B, {}, createSwitch())];
    a.port.receive(frame(A, ALL));
    a.port.receive(frame(A, B));
    expect(other.got).toEqual([]);
  });
  test('a NIC that is taken out hears nothing, and is no longer known', () => {
    const [a, b, c] = [plug(A), plug(B), plug(C)];
    b.port.unplug();
    a.port.receive(frame(A, B));
    expect([b.got.length, c.got.length, fabric.size]).toEqual([0, 1, 2]);
  });
});

describe('what is not carried', () => {
  test.each([
    ['a frame with another’s address', frame(B, C)],
    ['a frame from a group', frame('03:00:00:00:00:0a', C)],
    ['no frame at all', Buffer.alloc(0)],
    ['a header that is cut off', frame(A, C).subarray(0, 13)],
    ['a frame that is too long', frame(A, C, 0x88_b5, Buffer.alloc(LARGEST_FRAME_BYTES))],
  ])('%s', (_what, bad) => {
    const [a, b, c] = [plug(A), plug(B), plug(C)];
    a.port.receive(bad);
    expect([b.got, c.got]).toEqual([[], []]);
    expect(a.port.counters).toMatchObject({txDropped: 1, txPackets: 0, txBytes: 0});
  });
  test('a spoofed address is not learned', () => {
    const [a, b, c] = [plug(A), plug(B), plug(C)];
    b.port.receive(frame(B, ALL));
    a.port.receive(frame(B, ALL));
    c.port.receive(frame(C, B));
    expect([a.got.length, b.got.length]).toEqual([1, 1]);
  });
  test('a header without a body is a frame', () => {
    const [a, b] = [plug(A), plug(B)];
    a.port.receive(frame(A, B).subarray(0, 14));
    expect(b.got).toHaveLength(1);
  });
});

describe('link', () => {
  test('down: nothing goes out or in, and what is lost is counted; up: it goes on', () => {
    const [a, b] = [plug(A), plug(B)];
    a.port.setLink(false);
    a.port.receive(frame(A, B));
    b.port.receive(frame(B, A));
    expect([a.got, b.got]).toEqual([[], []]);
    expect(a.port.counters).toMatchObject({txDropped: 1, rxDropped: 1});
    a.port.setLink(true);
    b.port.receive(frame(B, A));
    expect(a.got).toHaveLength(1);
  });
});

test('counters are the guest’s', () => {
  const [a, b] = [plug(A), plug(B)];
  a.port.receive(frame(A, B));
  a.port.receive(frame(A, ALL));
  b.port.receive(frame(B, A));
  expect(a.port.counters).toEqual({txPackets: 2, txBytes: 120, txDropped: 0, rxPackets: 1, rxBytes: 60, rxDropped: 0});
  expect(b.port.counters).toEqual({txPackets: 1, txBytes: 60, txDropped: 0, rxPackets: 2, rxBytes: 120, rxDropped: 0});
});

describe('a guest that moves to another host', () => {
  const move = () => {
    const [source, b] = [plug(A), plug(B)];
    source.port.receive(frame(A, ALL));
    const got: Buffer[] = [];
    const target = {port: fabric.plug({mac: A, send: (one) => got.push(one)}), got};
    return {source, target, b};
  };
  test('before, its new place hears nothing, broadcasts included', () => {
    const {source, target, b} = move();
    b.port.receive(frame(B, A));
    b.port.receive(frame(B, ALL));
    expect([source.got.length, target.got.length]).toEqual([2, 0]);
  });
  test('its first frame from there moves its address', () => {
    const {source, target, b} = move();
    target.port.receive(frame(A, ALL));
    b.port.receive(frame(B, A));
    b.port.receive(frame(B, ALL));
    expect([source.got.length, target.got.length]).toEqual([0, 2]);
  });
  test('it need not speak when it is activated there', () => {
    const {source, target, b} = move();
    source.port.deactivate();
    b.port.receive(frame(B, A));
    target.port.activate();
    b.port.receive(frame(B, A));
    expect([source.got.length, target.got.length]).toEqual([0, 1]);
  });
  test('that its old place is taken out afterwards changes nothing', () => {
    const {source, target, b} = move();
    target.port.activate();
    source.port.unplug();
    b.port.receive(frame(B, A));
    expect(target.got).toHaveLength(1);
  });
  test('it may stay after all', () => {
    const {source, target, b} = move();
    source.port.deactivate();
    source.port.activate();
    target.port.unplug();
    b.port.receive(frame(B, A));
    expect(source.got).toHaveLength(1);
  });
});

describe('a network with a gateway', () => {
  const plugPublic = (mac: string): Plugged & {readonly up: Buffer[]} => {
    const up: Buffer[] = [];
    const answer = frame(GATEWAY, mac, 0x08_00);
    const uplink: Uplink = {
      mac: GATEWAY,
      addresses: new Set([ip('10.100.0.1'), ip('10.100.0.2')]),
      answerDhcp: () => answer,
      send: (one) => up.push(one),
    };
    return {...plug(mac, {uplink}), up};
  };
  const lengths = (...nics: readonly {readonly got: readonly Buffer[]; readonly up: readonly Buffer[]}[]) =>
    nics.map(({got, up}) => [got.length, up.length]);

  test.each([
    ['a question for the gateway', arp(A, '10.100.16.10', '10.100.0.1')],
    ['a question for a name server', arp(A, '10.100.16.10', '10.100.0.2')],
    ['a frame for the gateway', frame(A, GATEWAY, 0x08_00)],
  ])('%s reaches one’s own, and nobody else', (_what, one) => {
    const [a, b] = [plugPublic(A), plugPublic(B)];
    a.port.receive(one);
    expect(lengths(a, b)).toEqual([
      [0, 1],
      [0, 0],
    ]);
    expect(a.port.counters).toMatchObject({txPackets: 1, txDropped: 0});
  });
  test('what the gateway says is for its own NIC alone', () => {
    const [a, b] = [plugPublic(A), plugPublic(B)];
    a.port.receiveFromUplink(arp(GATEWAY, '10.100.0.1', '10.100.16.10'));
    expect(lengths(a, b)).toEqual([
      [1, 0],
      [0, 0],
    ]);
    expect(a.port.counters).toMatchObject({rxPackets: 1});
  });
  test('DHCP is answered on the spot and heard by nobody', () => {
    const [a, b] = [plugPublic(A), plugPublic(B)];
    a.port.receive(dhcpRequest(A, {message: 1}));
    expect(a.got).toEqual([frame(GATEWAY, A, 0x08_00)]);
    expect(lengths(b)).toEqual([[0, 0]]);
  });
  test('a guest that plays the DHCP server is not heard', () => {
    const [a, b] = [plugPublic(A), plugPublic(B)];
    a.port.receive(udp(A, [67, 68], Buffer.alloc(300)));
    expect(b.got).toEqual([]);
  });
  test.each([
    ['answers', arp(A, '10.100.0.1', '10.100.16.11', {reply: true, to: B})],
    ['asks', arp(A, '10.100.0.2', '10.100.16.11')],
  ])('a guest that %s as the gateway is not heard', (_what, spoofed) => {
    const [a, b] = [plugPublic(A), plugPublic(B)];
    a.port.receive(spoofed);
    expect(lengths(a, b)).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(a.port.counters).toMatchObject({txDropped: 1, txPackets: 0});
  });
  test('guests reach each other past it', () => {
    const [a, b] = [plugPublic(A), plugPublic(B)];
    a.port.receive(arp(A, '10.100.16.10', '10.100.16.11'));
    b.port.receive(arp(B, '10.100.16.11', '10.100.16.10', {reply: true, to: A}));
    expect(lengths(a, b)).toEqual([
      [1, 0],
      [1, 0],
    ]);
  });
  test('on a VLAN a guest may serve DHCP to others', () => {
    const [a, b] = [plug(A), plug(B)];
    a.port.receive(dhcpRequest(A, {message: 1}));
    b.port.receive(udp(B, [67, 68], Buffer.alloc(300)));
    expect([a.got.length, b.got.length]).toEqual([1, 1]);
  });
});
