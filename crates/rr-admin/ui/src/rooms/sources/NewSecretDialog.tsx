// A new secret for a source; those before it go after an overlap.

import { Button, Group, NativeSelect, PasswordInput, Stack } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';

import { Dialog } from '../../parts/Dialog';
import { Failure } from '../../parts/Failure';
import { type Source, server } from '../../server/calls';
import { asProblem } from '../../server/problem';
import { queries } from '../../server/queries';
import { GRACES } from '../keys/choices';

interface NewSecretDialogProps {
  source: Source;
  close: () => void;
  added: () => void;
}

export function NewSecretDialog({ source, close, added }: NewSecretDialogProps) {
  const client = useQueryClient();
  const [secret, setSecret] = useState('');
  const [overlap, setOverlap] = useState('86400');
  const add = useMutation({
    mutationFn: () => server.addSourceSecret(source.name, secret, Number(overlap)),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: queries.sources.queryKey });
      added();
      close();
    },
  });
  const send = (event: FormEvent) => {
    event.preventDefault();
    add.mutate();
  };
  return (
    <Dialog title={`New secret for “${source.name}”`} close={close}>
      <form onSubmit={send}>
        <Stack gap="sm">
          {add.isError && <Failure problem={asProblem(add.error)} />}
          <PasswordInput
            label="Signing secret"
            description="As the sender has it; it is not shown again"
            data-autofocus
            required
            withAsterisk={false}
            minLength={16}
            maxLength={512}
            autoComplete="off"
            value={secret}
            onChange={(event) => setSecret(event.currentTarget.value)}
          />
          {source.secrets.length > 0 && (
            <NativeSelect
              label="The secrets before it"
              data={GRACES}
              value={overlap}
              onChange={(event) => setOverlap(event.currentTarget.value)}
            />
          )}
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>
              Cancel
            </Button>
            <Button type="submit" loading={add.isPending}>
              Add Secret
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
