/** `MicroTime` (meta/v1): RFC 3339 with six digits after the second, of which the clock fills three. */
export function microTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('Z', '000Z');
}
