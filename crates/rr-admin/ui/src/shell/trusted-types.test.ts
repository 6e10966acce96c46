import { expect, it, vi } from 'vitest';

import { guardMarkup } from './trusted-types';

it('lets style sheets through and no markup', () => {
  const createPolicy = vi.fn<(name: string, rules: object) => void>();
  vi.stubGlobal('trustedTypes', { createPolicy });
  guardMarkup();
  const [name, rules] = createPolicy.mock.calls[0] as [string, { createHTML(text: string): string | null }];
  expect(name).toBe('default');
  expect(rules.createHTML('.a { color: red }')).toBe('.a { color: red }');
  expect(rules.createHTML('<img src=x onerror=alert(1)>')).toBeNull();
  expect(rules).not.toHaveProperty('createScript');
  expect(rules).not.toHaveProperty('createScriptURL');
});

it('does nothing in a browser without trusted types', () => {
  expect(guardMarkup).not.toThrow();
});
