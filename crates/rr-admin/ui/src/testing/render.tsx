// Puts the panel on the test's page, as main.tsx does, and looks for mistakes that hurt assistive technology.

import { MantineProvider } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { render } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import axe from 'axe-core';
import { expect } from 'vitest';

import { App } from '../app';
import { makeQueryClient } from '../server/session';
import { cssVariables, theme } from '../shell/theme';

export function renderApp() {
  const client = makeQueryClient();
  render(
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} env="test">
      <QueryClientProvider client={client}>
        <App />
      </QueryClientProvider>
    </MantineProvider>,
  );
  return { client, user: userEvent.setup() };
}

/** The rules that need no layout; the browser test runs all of them. */
export async function expectAccessible(): Promise<void> {
  const { violations } = await axe.run(document.body, {
    rules: { 'color-contrast': { enabled: false }, region: { enabled: false } },
  });
  expect(violations.map((violation) => `${violation.id}: ${violation.nodes[0]?.html}`)).toEqual([]);
}
