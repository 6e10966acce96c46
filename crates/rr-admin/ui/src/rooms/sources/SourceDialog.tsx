// A source: what it sends, with which key, and how long that is kept. A new one is given its name, too.

import { Button, Checkbox, NativeSelect, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { Dialog } from '../../parts/Dialog';
import { DialogForm } from '../../parts/DialogForm';
import { type Source, server } from '../../server/calls';
import { asProblem } from '../../server/problem';
import { queries } from '../../server/queries';
import { DEFAULT_SOURCE, FORMATS, keyChoices, MEBIBYTE } from './choices';

interface SourceDialogProps {
  /** The source to change; null makes a new one. */
  source: Source | null;
  close: () => void;
  remove?: () => void;
}

export function SourceDialog({ source, close, remove }: SourceDialogProps) {
  const client = useQueryClient();
  const keys = useQuery(queries.keysToChoose);
  const [name, setName] = useState('');
  const [format, setFormat] = useState(source?.format ?? 'auto');
  const [key, setKey] = useState(source?.key_id ?? '');
  const [unsigned, setUnsigned] = useState(source?.unsigned ?? false);
  const [days, setDays] = useState(text(source?.retention_days ?? null));
  const [size, setSize] = useState(text(source?.retention_bytes ?? null, MEBIBYTE));
  const save = useMutation({
    mutationFn: () => {
      const settings = {
        format,
        key_id: key === '' ? null : key,
        unsigned: unsigned && key !== '',
        retention_days: number(days),
        retention_bytes: number(size, MEBIBYTE),
      };
      return source === null
        ? server.createSource({ name: name.trim(), ...settings })
        : server.changeSource(source.name, settings);
    },
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: queries.sources.queryKey });
      close();
    },
  });
  return (
    <Dialog title={source === null ? 'New webhook source' : `Webhook source “${source.name}”`} close={close}>
      <DialogForm
        action={source === null ? 'Create Source' : 'Save'}
        send={() => save.mutate()}
        pending={save.isPending}
        problem={save.isError ? asProblem(save.error) : null}
        cancel={close}
      >
        {source === null && (
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
        )}
        <NativeSelect
          label="Format"
          data={FORMATS}
          value={format}
          onChange={(event) => setFormat(event.currentTarget.value)}
        />
        {source?.name !== DEFAULT_SOURCE && (
          <NativeSelect
            label="Key"
            description="It alone may send as this source, and sends as no other. With a secret of its own the source needs no key in its requests"
            data={keyChoices(keys.data?.keys ?? [], key)}
            value={key}
            onChange={(event) => setKey(event.currentTarget.value)}
          />
        )}
        {key !== '' && (
          <Checkbox
            label="Its sender cannot sign"
            description="The key is then proof enough, unless the source has a secret"
            checked={unsigned}
            onChange={(event) => setUnsigned(event.currentTarget.checked)}
          />
        )}
        <TextInput
          label="Keep for days"
          description="Left empty, for ever"
          type="number"
          min={1}
          max={3650}
          value={days}
          onChange={(event) => setDays(event.currentTarget.value)}
        />
        <TextInput
          label="Keep MiB of bodies"
          description="The oldest events go first. Left empty, all"
          type="number"
          min={0}
          max={1_048_576}
          step="any"
          value={size}
          onChange={(event) => setSize(event.currentTarget.value)}
        />
        {remove && (
          <Button variant="subtle" color="red.9" size="compact-sm" onClick={remove}>
            Remove this source …
          </Button>
        )}
      </DialogForm>
    </Dialog>
  );
}

/** A number of the server in a field, in another unit. */
function text(value: number | null, unit = 1): string {
  return value === null ? '' : String(value / unit);
}

/** What a field says, for the server; null where it says nothing. */
function number(field: string, unit = 1): number | null {
  return field === '' ? null : Math.round(Number(field) * unit);
}
