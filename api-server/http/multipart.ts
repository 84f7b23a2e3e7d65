/** The text parts of a `multipart/form-data` body (RFC 7578), as much as a form without files needs. */
import {Failure} from './failure.ts';

/** At most so many parts are looked at. */
const MAX_PARTS = 100;

/** Parses the parts that have a name and no file name; throws `bad-body` without a boundary. */
export function parseMultipart(raw: Buffer, contentType: string): URLSearchParams {
  const boundary = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType);
  const marker = boundary?.[1] ?? boundary?.[2];
  if (marker === undefined) throw new Failure('bad-body', 'The multipart body has no boundary');
  const fields = new URLSearchParams();
  // latin1 keeps bytes and indexes equal; values are decoded as UTF-8 below.
  const parts = raw
    .toString('latin1')
    .split(`--${marker}`)
    .slice(1, MAX_PARTS + 1);
  for (const part of parts) {
    const gap = part.indexOf('\r\n\r\n');
    if (gap < 0) continue; // the closing marker
    const disposition = /^content-disposition:(.*)$/im.exec(part.slice(0, gap))?.[1] ?? '';
    const name = /;\s*name="([^"]*)"/i.exec(disposition)?.[1];
    if (name === undefined || /;\s*filename=/i.test(disposition)) continue;
    fields.append(utf8(name), utf8(part.slice(gap + 4).replace(/\r\n$/, '')));
  }
  return fields;
}

const utf8 = (latin1: string): string => Buffer.from(latin1, 'latin1').toString('utf8');
