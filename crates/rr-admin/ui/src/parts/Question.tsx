// The question before something that cannot be undone.

import { Button, Group, Stack } from '@mantine/core';
import { type QueryKey, useMutation, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';

import { asProblem } from '../server/problem';
import { Dialog } from './Dialog';
import { Failure } from './Failure';
import styles from './parts.module.css';

interface QuestionProps {
  title: string;
  /** What the button says that does it. */
  action: string;
  act: () => Promise<unknown>;
  /** What is another then. */
  changes: QueryKey;
  close: () => void;
  done: () => void;
  /** What comes of it. */
  children: ReactNode;
}

export function Question({ title, action, act, changes, close, done, children }: QuestionProps) {
  const client = useQueryClient();
  const doing = useMutation({
    mutationFn: act,
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: changes });
      done();
      close();
    },
  });
  return (
    <Dialog title={title} close={close}>
      <Stack gap="md">
        <p className={styles.question}>{children}</p>
        {doing.isError && <Failure problem={asProblem(doing.error)} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={close} data-autofocus>
            Keep it
          </Button>
          <Button color="red.9" loading={doing.isPending} onClick={() => doing.mutate()}>
            {action}
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
