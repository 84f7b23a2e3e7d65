/** Kubernetes quantities (`500m`, `4`, `16Gi`, `1e3`) as the integers this project counts in. */

const FACTORS: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** The number that a quantity stands for. Throws a `SyntaxError` for anything that is not a quantity. */
export function parseQuantity(quantity: string | number): number {
  if (typeof quantity === 'number') return quantity;
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?)$/.exec(quantity);
  const factor = FACTORS[match?.[3] ?? ''];
  if (match === null || factor === undefined) throw new SyntaxError(`${JSON.stringify(quantity)} is not a quantity`);
  return Number(`${match[1]}${match[2] ?? ''}`) * factor;
}

/** CPU in thousandths of a core, rounded up as the scheduler does; 0 when absent. */
export const cpuMilliOf = (quantity: string | number | undefined): number =>
  quantity === undefined ? 0 : Math.ceil(parseQuantity(quantity) * 1000 - 1e-9);

/** Memory in bytes; 0 when absent. */
export const bytesOf = (quantity: string | number | undefined): number => (quantity === undefined ? 0 : Math.ceil(parseQuantity(quantity)));
