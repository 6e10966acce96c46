// A form in a dialog: what went wrong above it, what to do next below.

import { Button, Group, Stack } from '@mantine/core';
import type { FormEvent, ReactNode } from 'react';

import type { ServerProblem } from '../server/problem';
import { Failure } from './Failure';

interface DialogFormProps {
  /** What the button that sends it says. */
  action: string;
  send: () => void;
  pending: boolean;
  problem: ServerProblem | null;
  cancel: () => void;
  children: ReactNode;
}

export function DialogForm({ action, send, pending, problem, cancel, children }: DialogFormProps) {
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send();
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        {problem && <Failure problem={problem} />}
        {children}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={cancel}>
            Cancel
          </Button>
          <Button type="submit" loading={pending}>
            {action}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
