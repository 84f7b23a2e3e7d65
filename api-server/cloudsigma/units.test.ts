import {describe, expect, test} from '@jest/globals';
import {automaticCores, parseCpu, parseInteger, parseMemoryMiB, parseSize, smpProblem} from './units.ts';

describe('sizes', () => {
  test.each([
    ['12582912', 12582912],
    ['50G', 50 * 1024 ** 3],
    ['4M', 4 * 1024 ** 2],
    ['1k', 1024],
    ['2t', 2 * 1024 ** 4],
    [' 5 ', 5],
    ['0', 0],
    ['', undefined],
    ['-1', undefined],
    ['1.5G', undefined],
    ['10GB', undefined],
    ['1e9', undefined],
    ['999999999999999T', undefined],
    ['many', undefined],
  ])('%p', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  test('memory is a number of MB, or a size', () => {
    expect(parseMemoryMiB('512')).toBe(512);
    expect(parseMemoryMiB('2G')).toBe(2048);
    expect(parseMemoryMiB('lots')).toBeUndefined();
  });

  test('integers have no sign, fraction or hex form', () => {
    expect(['12', '0x10', '-3', '1.0', ''].map(parseInteger)).toEqual([12, undefined, undefined, undefined, undefined]);
  });
});

describe('cpu', () => {
  test.each([
    ['1', {mhz: 1000, counted: 1}, 1],
    ['4', {mhz: 4000, counted: 4}, 4],
    ['99', {mhz: 99000, counted: 99}, 99],
    ['100', {mhz: 100, counted: undefined}, 1],
    ['2000', {mhz: 2000, counted: undefined}, 1],
    ['2200', {mhz: 2200, counted: undefined}, 1],
    ['2201', {mhz: 2201, counted: undefined}, 2],
    ['8000', {mhz: 8000, counted: undefined}, 4],
  ])('cpu %s with smp auto', (text, cpu, cores) => {
    const parsed = parseCpu(text);
    expect(parsed).toEqual(cpu);
    expect(automaticCores(cpu.mhz, cpu.counted)).toBe(cores);
  });

  test('no speed is not a speed', () => {
    expect(['0', 'fast', '-1'].map(parseCpu)).toEqual([undefined, undefined, undefined]);
  });

  test.each([
    [1, 1000, undefined],
    [1, 2200, undefined],
    [4, 4000, undefined],
    [2, 1999, /at least 2000/],
    [1, 2201, /at most 2200/],
  ])('smp %i with cpu %i', (cores, mhz, problem) => {
    const found = smpProblem(cores, mhz);
    if (problem === undefined) expect(found).toBeUndefined();
    else expect(found).toMatch(problem);
  });
});
