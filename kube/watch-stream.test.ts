import {describe, expect, test} from '@jest/globals';
import fc from 'fast-check';
import {FakeClock} from './testing/fake-clock.ts';
import {decodeWatch, LineSplitter, parseEvent} from './watch-stream.ts';

const call = {verb: 'watch', resource: 'pods'};

describe('lines', () => {
  test('are the same however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({unit: 'grapheme', minLength: 1}).filter((line) => !line.includes('\n') && line.trim() !== '')),
        fc.array(fc.nat(20), {minLength: 1}),
        (lines, cuts) => {
          const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
          const splitter = new LineSplitter();
          const seen: string[] = [];
          for (let at = 0, i = 0; at < bytes.length; i++) {
            const end = at + 1 + (cuts[i % cuts.length] ?? 0);
            seen.push(...splitter.push(bytes.subarray(at, end)));
            at = end;
          }
          expect(seen).toEqual(lines);
        },
      ),
    );
  });

  test('have a bound', () => {
    const splitter = new LineSplitter();
    const chunk = Buffer.alloc(8 * 1024 * 1024, 'x');
    splitter.push(chunk);
    splitter.push(chunk);
    expect(() => splitter.push(Buffer.from('x'))).toThrow(RangeError);
  });
});

describe('events', () => {
  test.each(['', '{', '[]', '{"type":"ADDED"}', '{"type":"OTHER","object":{}}', '{"type":"ADDED","object":null}'])('%j is none', (line) => {
    expect(() => parseEvent(call, line)).toThrow(expect.objectContaining({reason: 'MalformedEvent'}));
  });

  test('an ERROR event is the server’s error', () => {
    const line = JSON.stringify({type: 'ERROR', object: {kind: 'Status', code: 410, reason: 'Expired', message: 'too old'}});
    expect(() => parseEvent(call, line)).toThrow(expect.objectContaining({status: 410, reason: 'Expired', message: 'too old'}));
  });

  test('silence ends the stream; the reader’s own slowness does not', async () => {
    const clock = new FakeClock();
    const {promise: cut, reject} = Promise.withResolvers<never>();
    cut.catch(() => undefined);
    async function* body(): AsyncGenerator<Buffer> {
      yield Buffer.from('{"type":"ADDED","object":{"metadata":{}}}\n');
      await cut;
    }
    const events = decodeWatch(call, body(), {clock, idleTimeoutMs: 100, cut: reject});
    expect((await events.next()).value).toMatchObject({type: 'ADDED'});
    clock.advance(95); // the reader thinks
    const next = events.next();
    next.catch(() => undefined);
    await clock.advanceAndSettle(50); // 145 ms after the event, 50 ms after it was read
    expect(clock.pending).toBe(1);
    await clock.advanceAndSettle(60);
    await expect(next).rejects.toMatchObject({reason: 'IdleTimeout'});
    expect(clock.pending).toBe(0);
  });
});
