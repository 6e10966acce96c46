// JSON whose numbers keep the digits that they were sent with: 1250.00 is not 1250 to whoever sent it.

/** As far as this browser can: older ones show such a number in its shortest form. */
const rawJSON = (JSON as { rawJSON?: (digits: string) => unknown }).rawJSON;

/** `JSON.parse`, after which `JSON.stringify` writes every number as it was written. */
export function parseExactly<Body>(text: string): Body {
  return JSON.parse(text, keepDigits as (name: string, value: unknown) => unknown) as Body;
}

function keepDigits(_name: string, value: unknown, context?: { source?: string }): unknown {
  const digits = context?.source;
  if (typeof value !== 'number' || digits === undefined || digits === String(value)) return value;
  return rawJSON ? rawJSON(digits) : value;
}
