// The question before the end of a key.

import { Button, Group, Stack } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';

import { Dialog } from '../../parts/Dialog';
import { Failure } from '../../parts/Failure';
import { type Key, server } from '../../server/calls';
import { asProblem } from '../../server/problem';
import { queries } from '../../server/queries';
import styles from './keys.module.css';

interface RevokeDialogProps {
  target: Key;
  close: () => void;
  revoked: () => void;
}

export function RevokeDialog({ target, close, revoked }: RevokeDialogProps) {
  const client = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => server.revokeKey(target.id),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: queries.keys.queryKey });
      revoked();
      close();
    },
  });
  return (
    <Dialog title={`Revoke “${target.name}”?`} close={close}>
      <Stack gap="md">
        <p className={styles.question}>
          Every request with the key <code>{target.hint}…</code> is refused from that moment on. This cannot be undone.
        </p>
        {revoke.isError && <Failure problem={asProblem(revoke.error)} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={close} data-autofocus>
            Keep it
          </Button>
          <Button color="red.9" loading={revoke.isPending} onClick={() => revoke.mutate()}>
            Revoke
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}
