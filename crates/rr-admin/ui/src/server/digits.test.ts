import { expect, it } from 'vitest';

import { parseExactly } from './digits';

it('reads JSON as JSON, whatever the browser can do about digits', () => {
  expect(parseExactly('{"a": [1, "1.50", null, true, {"b": -2.5}]}')).toEqual({ a: [1, '1.50', null, true, { b: -2.5 }] });
  expect(() => parseExactly('{"a": 01}')).toThrow(SyntaxError);
});

it('keeps the digits where the browser can', () => {
  const text = '{"amount":1250.00,"id":12345678901234567890}';
  const expected = 'rawJSON' in JSON ? text : '{"amount":1250,"id":12345678901234567000}';
  expect(JSON.stringify(parseExactly(text))).toBe(expected);
});
