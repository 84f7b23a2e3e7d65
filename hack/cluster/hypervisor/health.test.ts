import {expect, test} from '@jest/globals';
import {startHealthServer} from './health.ts';

test('livez, readyz and metrics say what is so', async () => {
  let ready = false;
  const health = await startHealthServer({
    host: '127.0.0.1',
    port: 0,
    ready: () => ready,
    guests: () => 7,
    measures: () => Promise.resolve('of_guests 1\n'),
  });
  const get = async (path: string): Promise<{status: number; text: string}> => {
    const response = await fetch(`http://127.0.0.1:${health.port}${path}`);
    return {status: response.status, text: await response.text()};
  };
  try {
    expect(await get('/livez')).toMatchObject({status: 200});
    expect(await get('/readyz')).toMatchObject({status: 503});
    ready = true;
    expect(await get('/readyz')).toMatchObject({status: 200});
    expect((await get('/metrics')).text).toMatch(/hypervisor_guests 7\nof_guests 1\n$/);
    expect(await get('/other')).toMatchObject({status: 404});
  } finally {
    await health.close();
  }
});
