// What a new source is called, and what it sends.

import { NativeSelect, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { Dialog } from '../../parts/Dialog';
import { DialogForm } from '../../parts/DialogForm';
import { server } from '../../server/calls';
import { asProblem } from '../../server/problem';
import { queries } from '../../server/queries';
import { FORMATS } from './choices';

export function NewSourceDialog({ close }: { close: () => void }) {
  const client = useQueryClient();
  const [name, setName] = useState('');
  const [format, setFormat] = useState('auto');
  const [days, setDays] = useState('');
  const create = useMutation({
    mutationFn: () =>
      server.createSource({ name: name.trim(), format, retention_days: days === '' ? null : Number(days) }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: queries.sources.queryKey });
      close();
    },
  });
  return (
    <Dialog title="New webhook source" close={close}>
      <DialogForm
        action="Create Source"
        send={() => create.mutate()}
        pending={create.isPending}
        problem={create.isError ? asProblem(create.error) : null}
        cancel={close}
      >
        <TextInput
          label="Source Name"
          description="The end of its address: /api/devops/webhook/…"
          data-autofocus
          required
          withAsterisk={false}
          maxLength={64}
          pattern="[a-z0-9][a-z0-9\-]*"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <NativeSelect
          label="Format"
          data={FORMATS}
          value={format}
          onChange={(event) => setFormat(event.currentTarget.value)}
        />
        <TextInput
          label="Keep for days"
          description="Left empty, for ever"
          type="number"
          min={1}
          max={3650}
          value={days}
          onChange={(event) => setDays(event.currentTarget.value)}
        />
      </DialogForm>
    </Dialog>
  );
}
