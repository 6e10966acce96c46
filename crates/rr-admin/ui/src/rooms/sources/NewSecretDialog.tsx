// A new secret for a source; those before it go after an overlap.

import { NativeSelect, PasswordInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { Dialog } from '../../parts/Dialog';
import { DialogForm } from '../../parts/DialogForm';
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
  return (
    <Dialog title={`New secret for “${source.name}”`} close={close}>
      <DialogForm
        action="Add Secret"
        send={() => add.mutate()}
        pending={add.isPending}
        problem={add.isError ? asProblem(add.error) : null}
        cancel={close}
      >
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
      </DialogForm>
    </Dialog>
  );
}
