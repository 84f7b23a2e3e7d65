import {once} from 'node:events';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:http';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals';
import {imageHandler, readRange, readRequest} from './handler.ts';
import {simulatedImage} from './image.ts';

describe('requests', () => {
  test.each([
    ['GET', '/tiny.raw', {file: 'tiny.raw', slow: false}],
    ['HEAD', '/tiny.raw?x=1', {file: 'tiny.raw', slow: false}],
    ['GET', '/slow/tiny.raw', {file: 'tiny.raw', slow: true}],
    ['GET', '/fail/tiny.raw', {status: 404}],
    ['GET', '/tiny-fail.raw', {status: 404}],
    ['GET', '/../../etc/passwd', {file: 'passwd', slow: false}],
    ['GET', '/%2e%2e', {status: 404}],
    ['GET', '/', {status: 404}],
    ['POST', '/tiny.raw', {status: 405}],
  ])('%s %s', (method, url, expected) => expect(readRequest(method, url)).toEqual(expected));
});

describe('ranges of 100 bytes', () => {
  test.each([
    [undefined, undefined],
    ['bytes=0-9', {start: 0, end: 9}],
    ['bytes=90-', {start: 90, end: 99}],
    ['bytes=-10', {start: 90, end: 99}],
    ['bytes=50-500', {start: 50, end: 99}],
    ['bytes=100-', 'none'],
    ['bytes=-', undefined],
    ['lines=1-2', undefined],
  ])('%s', (header, expected) => expect(readRange(header, 100)).toEqual(expected));
});

describe('the server', () => {
  const folder = mkdtempSync(join(tmpdir(), 'basalt-test-'));
  const server = createServer(imageHandler(folder));
  let url: string;
  beforeAll(async () => {
    writeFileSync(join(folder, 'a.raw'), '0123456789');
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as {port: number}).port}`;
  });
  afterAll(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, {recursive: true});
  });

  test('gives the size to HEAD and the bytes to GET', async () => {
    const head = await fetch(`${url}/a.raw`, {method: 'HEAD'});
    expect([head.status, head.headers.get('content-length'), head.headers.get('accept-ranges')]).toEqual([200, '10', 'bytes']);
    expect(await (await fetch(`${url}/a.raw`)).text()).toBe('0123456789');
  });

  test('gives a part', async () => {
    const part = await fetch(`${url}/a.raw`, {headers: {range: 'bytes=2-4'}});
    expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([206, 'bytes 2-4/10', '234']);
  });

  test.each([
    ['/fail/a.raw', 404],
    ['/b.raw', 404],
  ])('%s is %d', async (path, status) => expect((await fetch(url + path)).status).toBe(status));
});

test('the image is a disk: 4 MiB, with the mark of an MBR and a partition inside it', () => {
  const image = simulatedImage();
  expect([image.length, image.readUInt16LE(510)]).toEqual([4 * 1024 * 1024, 0xaa55]);
  expect(image.readUInt32LE(454) + image.readUInt32LE(458)).toBe(image.length / 512);
});
