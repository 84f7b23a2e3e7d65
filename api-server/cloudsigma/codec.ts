/**
 * The text format of the CloudSigma API: one property per line (key, one space, value to the end of the line), one blank line between
 * objects, lists of uuids one per line. A newline inside a value travels as the two characters `\` `n`; nothing else is escaped, and
 * other control characters are left out.
 */
import {hasControlCharacter} from '../../crds/rules/names.ts';

/** What a request body says. `undefined` = a bare key, which unsets the value. A key given twice: the last one counts. */
export type Properties = ReadonlyMap<string, string | undefined>;

/** One object of an answer, keys in the order in which they are written. `undefined` leaves the key out. */
export type TextObject = Readonly<Record<string, string | number | boolean | undefined>>;

/** What no client sends and no line should carry: control characters but the tab. Objects made with kubectl may have them. */
// oxlint-disable-next-line no-control-regex -- they are what it looks for
const UNPRINTABLE = /[\u0000-\u0008\u000a-\u001f\u007f]/g;

const encodeKey = (key: string): string => key.replaceAll(UNPRINTABLE, '');

const encodeValue = (value: string): string =>
  value.replaceAll('\r\n', '\n').replaceAll('\r', '\n').replaceAll('\n', '\\n').replaceAll(UNPRINTABLE, '');

const decodeValue = (value: string): string => value.replaceAll('\\n', '\n');

/** Reads one object. Blank lines and a carriage return before the line feed (files made on Windows) are skipped. */
export function parseProperties(text: string): Properties {
  const properties = new Map<string, string | undefined>();
  for (const rawLine of text.split('\n')) {
    const line = rawLine.endsWith('\r') ? rawLine.slice(0, -1) : rawLine;
    if (line.trim() === '') continue;
    const space = line.indexOf(' ');
    if (space < 0) properties.set(line, undefined);
    else properties.set(line.slice(0, space), decodeValue(line.slice(space + 1)));
  }
  return properties;
}

/** The value, or undefined when the key is absent, bare, or has nothing but blanks. */
export function valueOf(properties: Properties, key: string): string | undefined {
  const value = properties.get(key);
  return value === undefined || value.trim() === '' ? undefined : value;
}

/** The words of a space-separated list; empty when the key is absent. */
export function wordsOf(properties: Properties, key: string): string[] {
  return (properties.get(key) ?? '').split(/\s+/).filter((word) => word !== '');
}

/** Whether a name has a control character, the line break apart, which the format documents. */
export const hasForbiddenCharacter = (name: string): boolean => hasControlCharacter(name.replaceAll('\n', ''));

/** Writes one object with a final newline; no properties at all give an empty text. */
export function formatObject(object: TextObject): string {
  let text = '';
  for (const [key, value] of Object.entries(object)) {
    if (value !== undefined) text += `${encodeKey(key)} ${encodeValue(String(value))}\n`;
  }
  return text;
}

/** Writes several objects: without the blank line between them no client could tell where one ends. */
export function formatObjects(objects: readonly TextObject[]): string {
  return objects.map(formatObject).join('\n');
}

/** Writes a list of uuids, one per line. */
export function formatList(values: readonly string[]): string {
  return values.map((value) => `${value}\n`).join('');
}
