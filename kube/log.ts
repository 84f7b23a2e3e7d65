/** Structured logs: one JSON object per line (pino), with whatever could be a credential blanked out. */
import {pino} from 'pino';
import type {DestinationStream} from 'pino';

/** What code logs through; pino-compatible. Log transitions, not loops, and an error once. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** A logger whose every line carries `fields`. */
  child(fields: object): Logger;
}

/** The levels of {@link createLogger}. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Options of {@link createLogger}. */
export interface LoggerOptions {
  /** The program, as field `name` of every line. */
  readonly name: string;
  /** Default `info`. */
  readonly level?: LogLevel;
  /** Where the lines go; default: standard output. */
  readonly stream?: DestinationStream;
}

/** Fields blanked wherever they stand, to a depth of three. pino's paths are case-sensitive, hence the spellings. */
const SECRET_FIELDS = [
  'authorization',
  'Authorization',
  '["x-auth-token"]',
  '["X-Auth-Token"]',
  'password',
  'passwordHash',
  'adminPass',
  'token',
  'userData',
  'user_data',
  'privateKey',
  'stringData',
];

const under = (prefix: string, field: string): string => (field.startsWith('[') ? `${prefix}${field}` : `${prefix}.${field}`);

/** A logger that writes JSON lines with RFC 3339 times; `error` and `err` fields are written with message, stack and cause. */
export function createLogger(options: LoggerOptions): Logger {
  const settings = {
    name: options.name,
    level: options.level ?? 'info',
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: {level: (label: string) => ({level: label})},
    serializers: {err: pino.stdSerializers.errWithCause, error: pino.stdSerializers.errWithCause},
    redact: {paths: SECRET_FIELDS.flatMap((field) => [field, under('*', field), under('*.*', field)]), censor: '[redacted]'},
  };
  return options.stream === undefined ? pino(settings) : pino(settings, options.stream);
}

/** Discards everything. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
};
