// The question before the end of a source.

import { Button, Group, Stack } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';

import { Dialog } from '../../parts/Dialog';
import { Failure } from '../../parts/Failure';
import { type Source, server } from '../../server/calls';
import { asProblem } from '../../server/problem';
import { queries } from '../../server/queries';
import styles from './sources.module.css';

interface RemoveSourceDialogProps {
  source: Source;
  close: () => void;
  removed: () => void;
}

export function RemoveSourceDialog({ source, close, removed }: RemoveSourceDialogProps) {
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: () => server.removeSource(source.name),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: queries.sources.queryKey });
      removed();
      close();
    },
  });
  return (
    <Dialog title={`Remove the source “${source.name}”?`} close={close}>
      <Stack gap="md">
        <p className={styles.question}>
          Its secrets are forgotten and what comes to <code>/api/devops/webhook/{source.name}</code> is refused from that
          moment on. Its events stay for as many days as those of the default source.
        </p>
        {remove.isError && <Failure problem={asProblem(remove.error)} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={close} data-autofocus>
            Keep it
          </Button>
          <Button color="red.9" loading={remove.isPending} onClick={() => remove.mutate()}>
            Remove
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
