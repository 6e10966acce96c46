// What a new key is called, may do, and how long it lives.

import { Checkbox, NativeSelect, TextInput } from '@mantine/core';
import { useState } from 'react';

import { DialogForm } from '../../parts/DialogForm';
import type { KeyRequest, Permission } from '../../server/calls';
import type { ServerProblem } from '../../server/problem';
import { EXPIRIES, expiry, type Expiry, PERMISSIONS, start } from './choices';
import styles from './keys.module.css';
import { LimitsField } from './LimitsField';
import { fromDraft, type LimitDraft } from './limits';

interface NewKeyFormProps {
  submit: (key: KeyRequest) => void;
  pending: boolean;
  problem: ServerProblem | null;
  cancel: () => void;
}

export function NewKeyForm({ submit, pending, problem, cancel }: NewKeyFormProps) {
  const [name, setName] = useState('');
  const [permissions, setPermissions] = useState<string[]>(['read_metrics', 'write_webhooks']);
  const [firstDay, setFirstDay] = useState('');
  const [lifetime, setLifetime] = useState<Expiry>('365');
  const [lastDay, setLastDay] = useState('');
  const [limits, setLimits] = useState<LimitDraft[]>([]);
  const [asked, setAsked] = useState(false);
  const missing = permissions.length === 0;

  const send = () => {
    setAsked(true);
    if (missing) return;
    submit({
      name: name.trim(),
      permissions: permissions as Permission[],
      ...start(firstDay),
      ...expiry(lifetime, lastDay),
      ...(limits.length > 0 && { rate_limits: limits.map(fromDraft) }),
    });
  };

  return (
    <DialogForm action="Create Key" send={send} pending={pending} problem={problem} cancel={cancel}>
      {problem?.code === 'already_created' && (
        <p className={styles.question}>
          An earlier attempt did arrive. Its key is in the list, but nobody has seen its secret: revoke it, then create
          a key with another name.
        </p>
      )}
      <TextInput
        label="Key Name"
        description="Which program will use it"
        data-autofocus
        required
        withAsterisk={false}
        maxLength={100}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Checkbox.Group
        label="Permissions"
        value={permissions}
        onChange={setPermissions}
        error={asked && missing ? 'Choose at least one: without any, the key can do nothing.' : null}
      >
        <div className={styles.choices}>
          {PERMISSIONS.map(([permission, meaning]) => (
            <Checkbox key={permission} size="xs" value={permission} label={permission} description={meaning} />
          ))}
        </div>
      </Checkbox.Group>
      <TextInput
        label="Valid from"
        description="From now on, if left empty"
        type="date"
        value={firstDay}
        onChange={(event) => setFirstDay(event.currentTarget.value)}
      />
      <NativeSelect
        label="Expires"
        data={EXPIRIES}
        value={lifetime}
        onChange={(event) => setLifetime(event.currentTarget.value as Expiry)}
      />
      {lifetime === 'date' && (
        <TextInput
          label="Last day"
          type="date"
          required
          withAsterisk={false}
          value={lastDay}
          onChange={(event) => setLastDay(event.currentTarget.value)}
        />
      )}
      <LimitsField limits={limits} change={setLimits} />
    </DialogForm>
  );
}
