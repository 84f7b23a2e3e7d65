import {describe, expect, test} from '@jest/globals';
import {cpuSeconds, processUsage, residentBytes} from './proc.ts';

const tail = 'S 1 2 3 0 -1 4194560 100 0 0 0 1234 56 0 0 20 0 5 0 987654 1000000 2000';

describe('reading /proc', () => {
  test.each([
    ['a plain name', `42 (qemu) ${tail}`],
    ['a name with brackets and spaces', `42 (a ) S 7 (b) ${tail}`],
  ])('CPU seconds behind %s', (_name, stat) => {
    expect(cpuSeconds(stat)).toEqual({userSeconds: 12.34, systemSeconds: 0.56});
  });

  test.each(['', '42 (qemu) S 1', 'no such thing'])('nothing out of %j', (text) => {
    expect(cpuSeconds(text)).toBeUndefined();
  });

  test.each([
    ['Name:\tqemu\nVmHWM:\t  999 kB\nVmRSS:\t  184320 kB\nRssAnon:\t 1 kB\n', 188_743_680],
    ['Name:\tqemu\nState:\tZ (zombie)\n', undefined],
  ])('resident memory %#', (status, bytes) => {
    expect(residentBytes(status)).toBe(bytes);
  });

  test('a process that is not there has used nothing', async () => {
    expect(await processUsage(2 ** 22 + 1)).toBeUndefined();
  });

  (process.platform === 'linux' ? test : test.skip)('this process has used something', async () => {
    const usage = await processUsage(process.pid);
    expect(usage?.residentBytes).toBeGreaterThan(2 ** 20);
    expect((usage?.userSeconds ?? 0) + (usage?.systemSeconds ?? 0)).toBeGreaterThan(0);
  });
});
