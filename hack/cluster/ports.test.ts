import {createServer} from 'node:net';
import {expect, test} from '@jest/globals';
import {choosePorts, firstPort, isPortFree, PORT_NAMES} from './ports.ts';

const all = (): Promise<boolean> => Promise.resolve(true);

test('every name gets a port of its own, from the slot’s block', async () => {
  const ports = Object.values(await choosePorts(3, all));
  expect(new Set(ports).size).toBe(PORT_NAMES.length);
  for (const port of ports) {
    expect(port).toBeGreaterThanOrEqual(firstPort(3));
    expect(port).toBeLessThan(firstPort(4));
  }
});

test('two slots share no port, and the last one stays below the kernel’s range for outgoing connections', async () => {
  const [a, b] = [Object.values(await choosePorts(0, all)), Object.values(await choosePorts(1, all))];
  expect(a.filter((port) => b.includes(port))).toEqual([]);
  expect(Math.max(...Object.values(await choosePorts(255, all)))).toBeLessThan(32_768);
});

test('ports in use are passed over', async () => {
  const taken = new Set([firstPort(0), firstPort(0) + 2]);
  const ports = await choosePorts(0, (port) => Promise.resolve(!taken.has(port)));
  expect(Object.values(ports).filter((port) => taken.has(port))).toEqual([]);
  expect(ports.etcd).toBe(firstPort(0) + 1);
});

test('a block that is full is an error', async () => {
  await expect(choosePorts(0, () => Promise.resolve(false))).rejects.toThrow('too few free ports between 20000 and 20047: etcd has none');
});

test('a listener makes its port not free; an address that is not ours has no listeners', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const {port} = server.address() as {port: number};
  expect(await isPortFree(port)).toBe(false);
  await new Promise((resolve) => server.close(resolve));
  expect(await isPortFree(port)).toBe(true);
  expect(await isPortFree(8443, '203.0.113.7')).toBe(true);
});
