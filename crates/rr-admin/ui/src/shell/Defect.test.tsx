import { MantineProvider } from '@mantine/core';
import { render, screen } from '@testing-library/react';
import { expect, it, vi } from 'vitest';

import { Defect } from './Defect';

function Broken(): never {
  throw new Error('no icon for “sideways”');
}

it('says what broke instead of leaving the page empty', () => {
  // React reports what it caught; here that is expected.
  vi.spyOn(console, 'error').mockImplementation(() => {});
  render(
    <MantineProvider env="test">
      <Defect>
        <Broken />
      </Defect>
    </MantineProvider>,
  );
  expect(screen.getByRole('alert')).toHaveTextContent('no icon for “sideways”');
  expect(screen.getByRole('button', { name: 'Try again' })).toBeVisible();
});
